/** From the query of a page to the query of the next one. */
import { keyParameters } from '@tidewire/access/key-credentials';

/** The same parameters with the cursor in the place of `skip`, in `h` too, and without the key, which belongs into no link. */
export function nextPageQuery(query: string, cursor: string): string {
  const parameters = new URLSearchParams(query);
  for (const name of [...keyParameters, 'skip', 'cursor']) parameters.delete(name);
  const hints = parameters.get('h');
  if (hints?.includes('$skip')) {
    const { $skip: _, ...others } = JSON.parse(hints) as Record<string, unknown>;
    parameters.set('h', JSON.stringify(others));
  }
  parameters.set('cursor', cursor);
  return parameters.toString();
}
