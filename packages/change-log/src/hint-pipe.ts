/**
 * Hints on their way to one other process of this machine, with a bound on what is on the way.
 *
 * 1. Below the bound each hint goes at once, in order.
 * 2. Above it nothing more is kept of the hints but, for each database, the newest head and configuration version; ephemeral
 *    events are lost.
 * 3. When half of the bound is free again these go, so the other side reads the log once and is up to date.
 */
import type { ChangeHint } from './change-bus.js';
import { encodeHint } from './change-hint-text.js';

export type HintPipeOptions = {
  /** Hands a text over; `sent` is called once when it has left this process or is lost. */
  send: (text: string, sent: () => void) => void;
  /** Characters on the way beyond which no more is added. */
  pendingLimitChars: number;
};

export type HintPipe = { offer(hint: ChangeHint): void };

export function createHintPipe({ send, pendingLimitChars }: HintPipeOptions): HintPipe {
  const heads = new Map<number, number>();
  const versions = new Map<number, number>();
  let pendingChars = 0;

  function go(hint: ChangeHint): void {
    const text = encodeHint(hint);
    if (text === null) return;
    pendingChars += text.length;
    send(text, () => {
      pendingChars -= text.length;
      if (pendingChars <= pendingLimitChars / 2) sendKept();
    });
  }

  function keep(hint: ChangeHint): void {
    const { databaseId } = hint;
    const head = hint.kind === 'events' ? hint.events.at(-1)?.id : hint.kind === 'head' ? hint.head : undefined;
    if (head !== undefined) heads.set(databaseId, Math.max(head, heads.get(databaseId) ?? 0));
    if (hint.kind === 'config')
      versions.set(databaseId, Math.max(hint.configVersion, versions.get(databaseId) ?? hint.configVersion));
  }

  function sendKept(): void {
    const keptHeads = [...heads];
    const keptVersions = [...versions];
    heads.clear();
    versions.clear();
    for (const [databaseId, configVersion] of keptVersions) go({ kind: 'config', databaseId, configVersion });
    for (const [databaseId, head] of keptHeads) go({ kind: 'head', databaseId, head });
  }

  return {
    offer(hint) {
      if (pendingChars >= pendingLimitChars) keep(hint);
      else go(hint);
    },
  };
}
