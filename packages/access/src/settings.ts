/** The settings of a database, changed by the admin API and by the command line. */
import type { Catalog } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { AuthChanges, AuthSettings } from '@tidewire/protocol/auth-settings';
import { type DatabaseSettings, type DatabaseSettingsPatch, databaseSettingsSchema } from '@tidewire/protocol/settings';
import { inTransaction } from './admin-transaction.js';
import { auditValue, type Doer, recordAudit, systemDoer } from './audit-log.js';
import { type ConfigNotice, raiseConfigVersion } from './config-version.js';

export interface Settings {
  /** Changes what the patch names, keeps the rest, and answers with all of them. Of two patches at once neither is lost. */
  patch(databaseId: number, patch: DatabaseSettingsPatch, doer?: Doer): Promise<DatabaseSettings>;
}

export type SettingsDeps = { prisma: AdminClient; catalog: Catalog; notify: ConfigNotice };

export function createSettings({ prisma, catalog, notify }: SettingsDeps): Settings {
  return {
    async patch(databaseId, patch, doer = systemDoer) {
      const { settings, configVersion } = await inTransaction(prisma, async (transaction) => {
        // Raising the version first locks its row, so patches of one database are taken one after the other.
        const head = await raiseConfigVersion(transaction, databaseId);
        const where = { id: databaseId };
        const present = await transaction.database.findUniqueOrThrow({ where, select: { settings: true } });
        const before = databaseSettingsSchema.parse(present.settings);
        const merged = mergeSettings(before, patch);
        await transaction.database.update({ where, data: { settings: merged } });
        const values = { before: auditValue(before), after: auditValue(merged) };
        await recordAudit(transaction, doer, {
          action: 'settings.update',
          database: databaseId,
          subject: 'settings',
          ...values,
        });
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
    auth: mergeAuth(settings.auth, patch.auth ?? {}),
  };
}

function mergeAuth(present: AuthSettings, given: AuthChanges): AuthSettings {
  return {
    issuer: given.issuer === undefined ? present.issuer : given.issuer,
    audience: given.audience === undefined ? present.audience : given.audience,
    algorithms: given.algorithms ?? present.algorithms,
    jwksUrl: given.jwksUrl === undefined ? present.jwksUrl : given.jwksUrl,
    rolesFrom: given.rolesFrom ?? present.rolesFrom,
    rolesClaim: given.rolesClaim ?? present.rolesClaim,
    defaultRole: given.defaultRole === undefined ? present.defaultRole : given.defaultRole,
    userField: given.userField ?? present.userField,
    origins: given.origins ?? present.origins,
    signUp: given.signUp ?? present.signUp,
    clockToleranceSeconds: given.clockToleranceSeconds ?? present.clockToleranceSeconds,
  };
}

/** Null is a value here: no limit. */
function changed(given: number | null | undefined, present: number | null): number | null {
  return given === undefined ? present : given;
}
