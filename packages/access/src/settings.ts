/** The settings of a database, changed by the admin API and by the command line. */
import type { Catalog } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import { type DatabaseSettings, type DatabaseSettingsPatch, databaseSettingsSchema } from '@tidewire/protocol/settings';
import { type ConfigNotice, raiseConfigVersion } from './config-version.js';

export interface Settings {
  /** Changes what the patch names, keeps the rest, and answers with all of them. Of two patches at once neither is lost. */
  patch(databaseId: number, patch: DatabaseSettingsPatch): Promise<DatabaseSettings>;
}

export type SettingsDeps = { prisma: AdminClient; catalog: Catalog; notify: ConfigNotice };

export function createSettings({ prisma, catalog, notify }: SettingsDeps): Settings {
  return {
    async patch(databaseId, patch) {
      const { settings, configVersion } = await prisma.$transaction(async (transaction) => {
        // Raising the version first locks its row, so patches of one database are taken one after the other.
        const head = await raiseConfigVersion(transaction, databaseId);
        const where = { id: databaseId };
        const present = await transaction.database.findUniqueOrThrow({ where, select: { settings: true } });
        const merged = mergeSettings(databaseSettingsSchema.parse(present.settings), patch);
        await transaction.database.update({ where, data: { settings: merged } });
        return { settings: merged, configVersion: head.configVersion };
      });
      notify(databaseId, configVersion);
      await catalog.refresh(databaseId, configVersion);
      return settings;
    },
  };
}

/** Section by section, field by field. */
export function mergeSettings(settings: DatabaseSettings, patch: DatabaseSettingsPatch): DatabaseSettings {
  return {
    realtime: { global: patch.realtime?.global ?? settings.realtime.global },
    collections: { createOnWrite: patch.collections?.createOnWrite ?? settings.collections.createOnWrite },
    log: {
      keepDays: changed(patch.log?.keepDays, settings.log.keepDays),
      keepBytes: changed(patch.log?.keepBytes, settings.log.keepBytes),
      keepEvents: changed(patch.log?.keepEvents, settings.log.keepEvents),
    },
  };
}

/** Null is a value here: no limit. */
function changed(given: number | null | undefined, present: number | null): number | null {
  return given === undefined ? present : given;
}
