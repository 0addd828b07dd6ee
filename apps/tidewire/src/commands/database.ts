/** `tidewire database …` */
import type { Core } from '../open-core.js';
import { renderTable } from '../table.js';

export async function listDatabases(core: Core, { json }: { json: boolean }): Promise<string> {
  const databases = await core.databases.list();
  if (json) return `${JSON.stringify(databases)}\n`;
  const rows = databases.map(({ name, head, createdAt, settings }) => [
    name,
    String(head),
    settings.realtime.global ? 'on' : 'by key',
    createdAt,
  ]);
  return renderTable(['NAME', 'EVENTS', 'REALTIME', 'CREATED'], rows);
}
