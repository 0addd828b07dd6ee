/** The settings of a database, as JSON. Unknown fields are refused, so that a typing error is never taken in silence. */
import { z } from 'zod';

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
});

/** Settings with every default filled in. */
export type DatabaseSettings = z.infer<typeof databaseSettingsSchema>;

/** A change of settings: any subset of them; what is absent stays. */
export const databaseSettingsPatchSchema = z.strictObject({
  realtime: z.strictObject({ global: z.boolean().optional() }).optional(),
  collections: z.strictObject({ createOnWrite: z.boolean().optional() }).optional(),
});
export type DatabaseSettingsPatch = z.infer<typeof databaseSettingsPatchSchema>;
