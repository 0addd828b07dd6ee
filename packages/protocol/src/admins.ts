/** The people at the dashboard on the wire: accounts, invitations, sessions, one-time codes. Times are ISO 8601 in UTC. */
import { z } from 'zod';

/** What an admin may do: owners everything, editors all but people, the export of the audit log and the end of databases, viewers nothing but look. */
export const adminRoles = ['owner', 'editor', 'viewer'] as const;
/** One of `adminRoles`. */
export type AdminRole = (typeof adminRoles)[number];
/** The same, parsed. */
export const adminRoleSchema = z.enum(adminRoles);

/** E-mail addresses are kept in lower case. */
export const adminEmailSchema = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase());
/** NIST SP 800-63B: at least 8; ours is 10. The upper bound keeps hashing cheap. */
export const newPasswordSchema = z.string().min(10).max(256);
const password = z.string().max(256);
/** Six digits of the authenticator, or a recovery code. Spaces and dashes do not matter. */
const oneTimeCode = z
  .string()
  .max(40)
  .transform((text) => text.replaceAll(/[\s-]/g, '').toLowerCase());
const token = z.string().max(200);

/** A person who may use the dashboard. */
export const adminPersonSchema = z.object({
  id: z.string(),
  email: z.string(),
  role: adminRoleSchema,
  /** Whether a one-time code is asked for at sign-in. */
  hasTotp: z.boolean(),
  /** Open sessions. */
  sessions: z.number(),
  createdAt: z.string(),
  /** When a session of theirs was last used, to the minute; null without one. */
  lastUsedAt: z.string().nullable(),
});
export type AdminPerson = z.infer<typeof adminPersonSchema>;
/** `PATCH /api/admins/{id}`. */
export const updateAdminRequestSchema = z.strictObject({ role: adminRoleSchema });

/** A browser in which somebody is signed in. */
export const adminSessionSchema = z.object({
  id: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string(),
  expiresAt: z.string(),
  /** Where it began. */
  address: z.string(),
  /** The browser, as it named itself. */
  userAgent: z.string(),
  /** The one that asks. */
  isCurrent: z.boolean(),
});
export type AdminSessionAnswer = z.infer<typeof adminSessionSchema>;

/** `POST /api/invites`. */
export const createInviteRequestSchema = z.strictObject({ email: adminEmailSchema, role: adminRoleSchema });
export type CreateInviteRequest = z.infer<typeof createInviteRequestSchema>;
/** An invitation that was not yet accepted, without its token. */
export const inviteSchema = z.object({
  id: z.string(),
  email: z.string(),
  role: adminRoleSchema,
  invitedBy: z.string(),
  createdAt: z.string(),
  expiresAt: z.string(),
});
export type InviteAnswer = z.infer<typeof inviteSchema>;
/** The one answer that shows the token: the link is `/invite?token=…` at the dashboard. */
export const createdInviteSchema = inviteSchema.extend({ token: z.string() });
export type CreatedInviteAnswer = z.infer<typeof createdInviteSchema>;
/** `POST /api/invites/accept`: whoever has the token chooses a password and is signed in. */
export const acceptInviteRequestSchema = z.strictObject({ token, password: newPasswordSchema });

/** `POST /api/admin/password`. */
export const changePasswordRequestSchema = z.strictObject({ password, newPassword: newPasswordSchema });
/** `POST /api/admin/totp` and what else asks for the password again. */
export const passwordAgainRequestSchema = z.strictObject({ password });
/** Answer of `POST /api/admin/totp`: what the authenticator is given, and what `PUT` wants back with the first code. Nothing is stored before that. */
export const totpEnrolmentSchema = z.object({
  /** Base32, to be typed. */
  secret: z.string(),
  /** `otpauth://totp/…`, as a QR code holds it. */
  uri: z.string(),
  /** Good for ten minutes. */
  enrolment: z.string(),
});
export type TotpEnrolment = z.infer<typeof totpEnrolmentSchema>;
/** `PUT /api/admin/totp`. */
export const confirmTotpRequestSchema = z.strictObject({ enrolment: z.string().max(400), code: oneTimeCode });
/** Its answer: codes that are good once each, shown only now. */
export const recoveryCodesSchema = z.object({ recoveryCodes: z.array(z.string()) });
/** The code of a sign-in. */
export const oneTimeCodeSchema = oneTimeCode;
