/** The token in the setup link that the server prints while nobody can sign in yet. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SetupToken {
  /** What stands in the link. */
  readonly text: string;
  /** Takes the same time wherever the texts differ. */
  matches(text: string): boolean;
}

/**
 * Made from the server's secret, so that every process of a server, and the same server after a restart, knows the link that was printed. It
 * opens one door only, and that door closes for good with the first admin.
 */
export function createSetupToken(serverSecret: string): SetupToken {
  const text = createHmac('sha256', serverSecret).update('tidewire setup token').digest('base64url');
  const digest = digestOf(text);
  return { text, matches: (given) => timingSafeEqual(digestOf(given), digest) };

  function digestOf(value: string): Buffer {
    return createHmac('sha256', serverSecret).update(value).digest();
  }
}
