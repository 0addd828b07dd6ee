/** The law of `change-bus.ts`, run by every adapter. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ChangeBus, ChangeHint } from './change-bus.js';

const hint: ChangeHint = { kind: 'config', databaseId: 1, configVersion: 7 };

/** `create` makes a bus whose errors go to `onError`. */
export function changeBusContract(
  name: string,
  create: (onError: (error: unknown) => void) => Promise<ChangeBus>,
): void {
  describe(`${name} keeps the law of the change bus`, () => {
    const open: ChangeBus[] = [];
    const errors: unknown[] = [];
    async function createBus(): Promise<ChangeBus> {
      const bus = await create((error) => errors.push(error));
      open.push(bus);
      return bus;
    }
    afterEach(async () => {
      await Promise.all(open.splice(0).map((bus) => bus.close()));
      errors.splice(0);
    });

    it('gives a hint to every listener of the same process within publish', async () => {
      const bus = await createBus();
      const heard: string[] = [];
      bus.subscribe(() => heard.push('first'));
      bus.subscribe(() => heard.push('second'));
      bus.publish(hint);
      expect(heard).toEqual(['first', 'second']);
    });

    it('gives an ephemeral event as it was published, once to each listener', async () => {
      const bus = await createBus();
      const heard: ChangeHint[] = [];
      bus.subscribe((received) => heard.push(received));
      const about = { name: 'chat.typing', data: '{"by":"Ada"}', actor: 'key:a', at: '2026-01-01T00:00:00.000Z' };
      const ephemeral: ChangeHint = { kind: 'ephemeral', databaseId: 3, ...about };
      bus.publish(ephemeral);
      expect(heard).toEqual([ephemeral]);
    });

    it('gives nothing to a listener that has stopped', async () => {
      const bus = await createBus();
      const heard: ChangeHint[] = [];
      const stop = bus.subscribe((received) => heard.push(received));
      stop();
      bus.publish(hint);
      expect(heard).toEqual([]);
    });

    it('does not throw when a listener does, and the next listener still hears', async () => {
      const bus = await createBus();
      const heard: ChangeHint[] = [];
      bus.subscribe(() => {
        throw new Error('broken listener');
      });
      bus.subscribe((received) => heard.push(received));
      expect(() => bus.publish(hint)).not.toThrow();
      expect(heard).toEqual([hint]);
      expect(errors).toHaveLength(1);
    });

    it('drops hints after close', async () => {
      const bus = await createBus();
      const heard: ChangeHint[] = [];
      bus.subscribe((received) => heard.push(received));
      await bus.close();
      expect(() => bus.publish(hint)).not.toThrow();
      expect(heard).toEqual([]);
    });
  });
}
