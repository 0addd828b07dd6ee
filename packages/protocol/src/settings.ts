/** The settings of a database, as JSON. Unknown fields are refused, so that a typing error is never taken in silence. */
import { z } from 'zod';
import { authChangesSchema, authSettingsSchema } from './auth-settings.js';

/** A limit of the log; null: none. */
const limit = (least: number, most: number) => z.int().min(least).max(most).nullable();
const keepDays = limit(1, 36_500);
const keepBytes = limit(1, 10 ** 15);
const keepEvents = limit(1, 10 ** 15);

/** Fills in what is absent, so that `{}` is the default settings. */
export const databaseSettingsSchema = z.strictObject({
  realtime: z
    .strictObject({
      /** Opens all channels of the database to each of its keys. Off by default. */
      global: z.boolean().default(false),
    })
    .prefault({}),
  collections: z
    .strictObject({
      /** A collection appears with its first write; when off, writes to an unknown collection are answered with 404. */
      createOnWrite: z.boolean().default(true),
    })
    .prefault({}),
  /** How much of the event log is kept: what is beyond any of the limits goes, the oldest first. For ever by default. */
  log: z
    .strictObject({
      /** Days since an event happened. */
      keepDays: keepDays.default(null),
      /** Bytes of all events, about, as the database's answer counts them. */
      keepBytes: keepBytes.default(null),
      /** The newest so many events. */
      keepEvents: keepEvents.default(null),
    })
    .prefault({}),
  /** How users of applications prove who they are, and what they may. */
  auth: authSettingsSchema.prefault({}),
});

/** Settings with every default filled in. */
export type DatabaseSettings = z.infer<typeof databaseSettingsSchema>;

/** A change of settings: any subset of them; what is absent stays. */
export const databaseSettingsPatchSchema = z.strictObject({
  realtime: z.strictObject({ global: z.boolean().optional() }).optional(),
  collections: z.strictObject({ createOnWrite: z.boolean().optional() }).optional(),
  log: z
    .strictObject({ keepDays: keepDays.optional(), keepBytes: keepBytes.optional(), keepEvents: keepEvents.optional() })
    .optional(),
  auth: authChangesSchema.optional(),
});
export type DatabaseSettingsPatch = z.infer<typeof databaseSettingsPatchSchema>;
