import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';

/** A collection that the key may do something with, for examples; undefined when its grants name none. */
export function collectionOfGrants({ rest, listen }: Pick<ApiKeyAnswer, 'rest' | 'listen'>): string | undefined {
  for (const grant of [...rest, ...listen]) {
    const [method, name] = grant.split(':');
    if (method !== 'PUBLISH' && name !== undefined && name !== '*') return name;
  }
  return undefined;
}
