/**
 * The whole server, as `tidewire start` puts it together, for tests of what users with roles may. Users are known by tokens of another service, with its shared secret; their roles and realtime lists stand in
 * documents of the collection `users`. Keys work as always.
 */
import { signToken } from '@tidewire/access/token.fixture';
import type { JsonObject } from '@tidewire/protocol/json';
import { eventually } from '@tidewire/testing/eventually';
import { startContractServer } from './contract/contract.fixture.js';
import type { Core } from './open-core.js';

export type RuledServer = {
  url: string;
  core: Core;
  database: { id: number; name: string };
  /** What was logged as a warning or an error. */
  accidents: readonly string[];
  /** The text of a key with all grants. */
  key: string;
  /** `name=value` of an admin's session. */
  cookie: string;
  /** Gives a user other roles and realtime lists, and a token with other claims; when it resolves, they are in force. Open streams hear of it. */
  setUser(sub: string, facts: UserFacts): Promise<void>;
  /** The headers by which the user is known. Throws for one that was never set. */
  headersOf(sub: string): { authorization: string };
  close(): Promise<void>;
};

type UserFacts = { roles: string[]; claims?: JsonObject; realtime?: { sub: string[]; pub: string[] } };

const [issuer, audience] = ['https://issuer.example/', 'rules'];
const sharedSecret = 'a secret that the other service signs its tokens with';

/** Listens on a free port of 127.0.0.1, with the database `default`. */
export async function startRuledServer(): Promise<RuledServer> {
  const server = await startContractServer();
  const { url, core, key } = server;
  const database = await core.databases.ensure('default');
  const cookie = await server.cookie();
  const tokens = new Map<string, string>();
  const documents = new Map<string, string>();

  await server.asAdmin('PUT', 'default/auth/secret', { secret: sharedSecret });
  await server.asAdmin('PATCH', 'default/settings', {
    auth: { issuer, audience, algorithms: ['HS256'], rolesFrom: 'users', userField: 'sub' },
  });

  function headersOf(sub: string): { authorization: string } {
    const token = tokens.get(sub);
    if (token === undefined) throw new Error(`there is no user ${sub}`);
    return { authorization: `Bearer ${token}` };
  }

  async function writeDocument(sub: string, fields: JsonObject): Promise<void> {
    const id = documents.get(sub);
    if (id === undefined) documents.set(sub, (await server.create('users', { sub, ...fields }))._id);
    else {
      const { status, body } = await server.call(`/rest/users/${id}`, { method: 'PUT', body: fields });
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
    }
  }

  return {
    url,
    core,
    database,
    accidents: server.accidents,
    key,
    cookie,
    headersOf,
    async setUser(sub, { roles, claims = {}, realtime = { sub: [], pub: [] } }) {
      await writeDocument(sub, { roles, realtime });
      const payload = { ...claims, iss: issuer, aud: audience, sub, exp: Math.floor(Date.now() / 1_000) + 3_600 };
      tokens.set(sub, await signToken(payload, { key: sharedSecret }));
      await eventually(async () => {
        const { body } = await server.call('/auth/me', { key: null, headers: headersOf(sub) });
        const inForce = JSON.stringify((body as { roles: string[] }).roles);
        if (inForce !== JSON.stringify(roles)) throw new Error(`${sub} has ${JSON.stringify(body)}`);
      });
    },
    close: server.close,
  };
}
