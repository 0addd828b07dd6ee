/** Secrets at rest: what has to be read again (unlike passwords and keys) is stored sealed, and worth nothing without the server's secret. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface SealedSecrets {
  /** The sealed text, `v1.` and base64url; another one each time. `context` says what the secret is and whose, as in `totp:<admin's id>`. */
  seal(secret: string, context: string): string;
  /** The secret again. Throws `SealedSecretError` for a text that was changed, that was sealed for another context, or with another server's secret. */
  open(sealed: string, context: string): string;
}

/** A sealed text cannot be opened. Says nothing about why, but what the person who runs the server can do. */
export class SealedSecretError extends Error {
  override readonly name = 'SealedSecretError';
}

const VERSION = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, under a key of its own that HKDF (RFC 5869) makes of the server's secret. The version and the context are
 * authenticated with it, so that a sealed text that was moved to another row does not open there. The first part of the text is the version, for a later way of sealing.
 */
export function createSealedSecrets(serverSecret: string): SealedSecrets {
  const key = Buffer.from(hkdfSync('sha256', serverSecret, '', 'tidewire sealed secrets', 32));
  const boundTo = (context: string) => Buffer.from(`${VERSION} ${context}`);

  return {
    seal(secret, context) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(boundTo(context));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return `${VERSION}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')}`;
    },
    open(sealed, context) {
      try {
        const bytes = bytesOf(sealed);
        const iv = bytes.subarray(0, IV_BYTES);
        const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
        const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
        decipher.setAAD(boundTo(context)).setAuthTag(tag);
        const text = bytes.subarray(IV_BYTES + TAG_BYTES);
        return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new SealedSecretError(
          'A stored secret cannot be read: it was sealed with another SECRET_KEY, or it was changed.',
          { cause },
        );
      }
    },
  };
}

/** Takes the one way of writing the bytes only, so that no two texts open alike. */
function bytesOf(sealed: string): Buffer {
  const [version, encoded = '', ...rest] = sealed.split('.');
  const bytes = Buffer.from(encoded, 'base64url');
  const isOurs = version === VERSION && rest.length === 0 && bytes.toString('base64url') === encoded;
  if (!isOurs || bytes.length < IV_BYTES + TAG_BYTES) throw new Error('not a sealed text');
  return bytes;
}
