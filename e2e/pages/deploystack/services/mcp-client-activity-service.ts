/** Where the card's data is: the REST address, and the same with /stream. */
export interface McpClientActivity {
  _id: string;
  team_id: string;
  client_name: string;
  last_active: string;
}

type ActivityOptions = { limit: number; active_within_minutes: number };

const host = 'https://deploystack.example';
const key = 'YOUR_API_KEY';

function query(teamId: string, { limit, active_within_minutes }: ActivityOptions): string {
  const since = new Date(Date.now() - active_within_minutes * 60_000).toISOString();
  const q = JSON.stringify({ team_id: teamId, last_active: { $gt: since } });
  return new URLSearchParams({ q, sort: 'last_active', dir: '-1', max: String(limit), apikey: key }).toString();
}

export const McpClientActivityService = {
  getStreamUrl: (teamId: string, options: ActivityOptions) =>
    `${host}/rest/client_activity/stream?${query(teamId, options)}`,
  getUrl: (teamId: string, options: ActivityOptions) => `${host}/rest/client_activity?${query(teamId, options)}`,
};
