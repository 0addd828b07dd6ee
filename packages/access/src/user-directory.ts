/**
 * The users whom this process has to do with at the moment, kept up to date: their documents in the collection `users`, by the database's events, and the sessions of those who have one,
 * by a look twice a second. Whoever was not heard of for a minute and has no stream open is forgotten, and looked up anew when needed.
 *
 * Invariants:
 * 1. Events of a database are followed from before the first document of it is read.
 * 2. A document is taken over from an event only when its version is newer than the one that is known; what takes rights away counts at once, what could give some is read.
 * 3. A user that has ended stays ended: who comes with the same token again is verified anew.
 */
import { createHash } from 'node:crypto';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';
import type { DeclaredIndexes } from '@tidewire/query/declared-index';
import { parseFilter } from '@tidewire/query/parse-filter';
import { SqlParameters } from '@tidewire/query/sql-parameters';
import { toSql } from '@tidewire/query/to-sql';
import { DirectoryUser, type UserIdentity } from './directory-user.js';
import type { UserPrincipal } from './principal.js';
import type { UserClaims } from './user-claims.js';
import { readUserDocument, type UserDocument, usersCollection } from './user-document.js';
import type { UserTokens } from './user-tokens.js';

/** A change of a document in `users`, or of the collection, as the event log has it: `before` and `after` are JSON texts with metafields. */
export type UsersEvent = {
  readonly type: string;
  readonly collection: string | null;
  readonly documentId: string | null;
  readonly name: string | null;
  readonly before: string | null;
  readonly after: string | null;
};

/** Where the directory hears of events; the law: from when `follow` resolves, every event is given once and in order, at most a second after its commit; after a gap, `onGap`. */
export interface UsersFeed {
  follow(
    databaseId: number,
    listener: { onEvents: (events: readonly UsersEvent[]) => void; onGap: () => void },
  ): Promise<() => void>;
}

export interface UserDirectory {
  /** The user of a verified token, with the document read. One object for each token and key. Rejects when Postgres cannot be asked. */
  enter(database: CatalogDatabase, identity: UserIdentity): Promise<UserPrincipal>;
  /** The same if it is here already and has not ended. No I/O. */
  peek(databaseId: number, credential: string): UserPrincipal | null;
  /** The user of a token whose database nobody named. No I/O. */
  peekAlone(token: string): UserPrincipal | null;
  /** Who a principal of this directory is. */
  identityOf(principal: UserPrincipal): UserIdentity | null;
  /** What is known of a person beside any token: by the settings, where the document is looked for; read now. `hasAccount`: the subject is that of an account here. */
  lookUp(
    database: CatalogDatabase,
    person: Pick<UserClaims, 'subject' | 'email'>,
  ): Promise<{ document: UserDocument | null; hasAccount: boolean }>;
  /** The names of the roles in force. */
  rolesOf(principal: UserPrincipal, database: CatalogDatabase): readonly string[];
  /** Keeps the user up to date until the way back is called: a stream of it is open. */
  hold(principal: UserPrincipal): () => void;
  /** These sessions have ended, here and now. */
  endSessions(sessionIds: readonly string[]): void;
  /** What the users of a database were verified by may be another now: whoever listens is told of each. */
  judgeAgain(databaseId: number): void;
  /** Calls the listener with each user of whom something is new. Returns the way to stop it. */
  onChange(listener: (databaseId: number, user: DirectoryUser) => void): () => void;
  /** Tells of each document of `users` that was deleted, in databases with users here. Returns the way to stop it. */
  onDeleted(listener: (databaseId: number, documentId: string) => void): () => void;
  /** How many users are known. */
  readonly size: number;
  close(): void;
}

export type UserDirectoryDeps = {
  pool: SqlPool;
  feed: UsersFeed;
  tokens: Pick<UserTokens, 'currentVerifiedBy'>;
  /** The declared indexes of a collection that are ready. */
  indexesOf: (databaseId: number, collectionId: number) => DeclaredIndexes;
  /** Milliseconds since the epoch. */
  now: () => number;
  onError: (error: unknown) => void;
  /** How often sessions are looked at; default 500. */
  intervalMs?: number;
};

/** A person of a database, whatever tokens come from them. `document`: undefined before the first read, null when there is none. */
type Person = {
  readonly databaseId: number;
  readonly key: string;
  readonly field: '_id' | 'sub' | 'email';
  readonly value: string;
  document: UserDocument | null | undefined;
  /** Counts what was learned, so that a read that was overtaken is thrown away. */
  changes: number;
  reading: Promise<void> | null;
  readonly users: Set<DirectoryUser>;
};

type Known = UserPrincipal & { user: DirectoryUser };
type Followed = { persons: Map<string, Person>; ready: Promise<() => void> };

const IDLE_MS = 60_000;

/** By the primary key of documents. */
const selectById = {
  name: 'user-document',
  text: `SELECT d.id, d.version, d.body FROM documents d JOIN collections c ON c.id = d.collection_id
    WHERE c.database_id = $1 AND c.name = $2 AND d.id = $3`,
};
/** By the primary key. */
const selectSessions = {
  name: 'user-sessions-alive',
  text: 'SELECT id::text AS id FROM user_sessions WHERE id = ANY($1::uuid[]) AND expires_at > $2::timestamptz',
};
/** By the unique index of collections. */
const selectCollection = {
  name: 'users-collection',
  text: 'SELECT id FROM collections WHERE database_id = $1 AND name = $2',
};
/** By the primary key. */
const selectAccount = {
  name: 'user-account',
  text: 'SELECT FROM user_accounts WHERE database_id = $1 AND id = $2',
};
type DocumentRow = { id: string; version: number; body: JsonObject };

export function createUserDirectory(deps: UserDirectoryDeps): UserDirectory {
  const { pool, feed, tokens, indexesOf, now, onError } = deps;
  const intervalMs = deps.intervalMs ?? 500;
  const databases = new Map<number, Followed>();
  /** By credential. */
  const users = new Map<string, Known>();
  /** Those whose token came alone, by the token. */
  const alone = new Map<string, Known>();
  const entering = new Map<string, Promise<UserPrincipal>>();
  /** Those as well that have ended, as long as a stream of theirs is open. */
  const all = new Set<DirectoryUser>();
  const unread = new Set<Person>();
  const changeListeners = new Set<(databaseId: number, user: DirectoryUser) => void>();
  const deleteListeners = new Set<(databaseId: number, documentId: string) => void>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function follow(databaseId: number): Followed {
    const present = databases.get(databaseId);
    if (present !== undefined) return present;
    const persons = new Map<string, Person>();
    const ready = feed.follow(databaseId, {
      onEvents: (events) => {
        for (const event of events) take(databaseId, persons, event);
      },
      onGap: () => readAll(persons),
    });
    const followed = { persons, ready };
    databases.set(databaseId, followed);
    ready.catch(() => {
      if (databases.get(databaseId) === followed) databases.delete(databaseId);
    });
    return followed;
  }

  function take(databaseId: number, persons: ReadonlyMap<string, Person>, event: UsersEvent): void {
    if (event.type === 'rename' || event.type === 'drop') {
      if (event.collection === usersCollection || event.name === usersCollection) readAll(persons);
      return;
    }
    if (event.collection !== usersCollection || event.documentId === null) return;
    const before = parse(event.before);
    const after = parse(event.after);
    for (const person of personsOf(persons, event.documentId, before, after)) {
      if (after === null || !isOf(person, event.documentId, after)) {
        if (person.document?.id === event.documentId) learn(person, null);
        readLater(person);
      } else takeOver(person, event.documentId, after);
    }
    if (event.type === 'delete') for (const listener of deleteListeners) listener(databaseId, event.documentId);
  }

  /** Invariant 2. */
  function takeOver(person: Person, id: string, after: JsonObject): void {
    const version = typeof after._version === 'number' ? after._version : 0;
    const { document } = person;
    if (document?.id === id && version <= document.version) return;
    if (document?.id === id) learn(person, readUserDocument(id, version, after));
    else readLater(person);
  }

  function learn(person: Person, document: UserDocument | null): void {
    person.changes += 1;
    person.document = document;
    for (const user of person.users) {
      user.learn(document);
      for (const listener of changeListeners) listener(person.databaseId, user);
    }
  }

  /** Reads the person's document; again when something was learned meanwhile. */
  function read(person: Person): Promise<void> {
    person.changes += 1;
    person.reading ??= readNow(person).finally(() => {
      person.reading = null;
    });
    return person.reading;
  }

  async function readNow(person: Person): Promise<void> {
    for (;;) {
      const { changes } = person;
      const document = await find(person);
      if (person.changes !== changes) continue;
      if (person.document === undefined || !isSame(person.document, document)) learn(person, document);
      return;
    }
  }

  function readAll(persons: ReadonlyMap<string, Person>): void {
    for (const person of persons.values()) readLater(person);
  }

  /** A failure is tried again with the next look: until then the last that is known holds. */
  function readLater(person: Person): void {
    read(person).catch((error) => {
      onError(error);
      unread.add(person);
    });
  }

  async function find({
    databaseId,
    field,
    value,
  }: Pick<Person, 'databaseId' | 'field' | 'value'>): Promise<UserDocument | null> {
    if (field === '_id') {
      const values = [databaseId, usersCollection, value];
      const { rows } = await pool.query<DocumentRow>({ ...selectById, values });
      return decode(rows[0]);
    }
    const filter = parseFilter({ [field]: value });
    if (!filter.ok) return null;
    const collections = await pool.query<{ id: number }>({
      ...selectCollection,
      values: [databaseId, usersCollection],
    });
    const collectionId = collections.rows[0]?.id;
    if (collectionId === undefined) return null;
    const parameters = new SqlParameters();
    const collection = parameters.add(collectionId);
    const indexes = indexesOf(databaseId, collectionId);
    const condition = toSql(filter.filter, parameters, { alias: 'd', indexes });
    const { rows } = await pool.query<DocumentRow>(
      `SELECT d.id, d.version, d.body FROM documents d WHERE d.collection_id = ${collection}::int AND ${condition}
        AND jsonb_typeof(d.data->'${field}') = 'string' ORDER BY d.id LIMIT 1`,
      [...parameters.values],
    );
    const found = rows[0];
    return found !== undefined && found.body[field] === value ? decode(found) : null;
  }

  /** Twice a second: sessions that are over, reads that failed, and those nobody asks for any more. */
  async function look(): Promise<void> {
    timer = undefined;
    try {
      for (const person of unread) {
        unread.delete(person);
        readLater(person);
      }
      forgetIdle();
      const bySession = new Map<string, DirectoryUser[]>();
      for (const user of all) {
        const { sessionId } = user.identity.user;
        if (sessionId !== null && !user.hasEnded) bySession.set(sessionId, [...(bySession.get(sessionId) ?? []), user]);
      }
      if (bySession.size > 0) {
        const values = [[...bySession.keys()], new Date(now()).toISOString()];
        const { rows } = await pool.query<{ id: string }>({ ...selectSessions, values });
        for (const { id } of rows) bySession.delete(id);
        for (const ended of bySession.values()) endThese(ended);
      }
    } catch (error) {
      onError(error);
    }
    schedule();
  }

  function schedule(): void {
    if (timer === undefined && !isClosed && all.size > 0) timer = setTimeout(look, intervalMs).unref();
  }

  function endThese(ended: readonly DirectoryUser[]): void {
    for (const user of ended) {
      user.end('the session has ended');
      for (const listener of changeListeners) listener(user.identity.databaseId, user);
    }
  }

  function forgetIdle(): void {
    const limit = now() - IDLE_MS;
    for (const user of all) if (user.holds === 0 && (user.usedAt < limit || user.hasEnded)) forget(user);
  }

  function forget(user: DirectoryUser): void {
    const { databaseId, token, keyId } = user.identity;
    const credential = credentialOf(databaseId, token, keyId);
    all.delete(user);
    if (users.get(credential)?.user === user) users.delete(credential);
    if (alone.get(token)?.user === user) alone.delete(token);
    const followed = databases.get(databaseId);
    const person = followed?.persons.get(personKey(user.identity).key);
    if (followed === undefined || person === undefined) return;
    person.users.delete(user);
    if (person.users.size > 0) return;
    followed.persons.delete(person.key);
    unread.delete(person);
    if (followed.persons.size > 0) return;
    databases.delete(databaseId);
    followed.ready.then((stop) => stop(), onError);
  }

  function usable(principal: Known | undefined): UserPrincipal | null {
    if (principal === undefined || principal.user.hasEnded) return null;
    principal.user.usedAt = now();
    return principal;
  }

  async function enterAnew(database: CatalogDatabase, identity: UserIdentity): Promise<UserPrincipal> {
    const { key, field, value } = personKey(identity);
    const followed = follow(database.id);
    const person = followed.persons.get(key) ?? createPerson(database.id, { key, field, value });
    followed.persons.set(key, person);
    // Among its users from the beginning, so that nobody forgets the person whose document is read.
    const user = new DirectoryUser(identity, tokens.currentVerifiedBy, now());
    person.users.add(user);
    all.add(user);
    try {
      await followed.ready;
      if (person.document === undefined) await read(person);
      if (identity.user.sessionId !== null) await checkSession(user, identity.user.sessionId);
    } catch (error) {
      forget(user);
      throw error;
    }
    user.learn(person.document ?? null);
    const { subject, email } = identity.user;
    const name = email ?? person.document?.email ?? subject;
    const principal = { kind: 'user' as const, databaseId: database.id, subject, name, user };
    users.set(credentialOf(database.id, identity.token, identity.keyId), principal);
    if (identity.keyId === null) alone.set(identity.token, principal);
    schedule();
    return principal;
  }

  return {
    async enter(database, identity) {
      const credential = credentialOf(identity.databaseId, identity.token, identity.keyId);
      const present = usable(users.get(credential));
      if (present !== null) return present;
      const underWay = entering.get(credential);
      if (underWay !== undefined) return underWay;
      const entered = enterAnew(database, identity).finally(() => entering.delete(credential));
      entering.set(credential, entered);
      return entered;
    },
    async lookUp({ id: databaseId, settings }, { subject, email }) {
      const { rowCount } = await pool.query({ ...selectAccount, values: [databaseId, subject] });
      const hasAccount = rowCount !== 0;
      const { field, value } = placeOf({ subject, email, hasAccount, userField: settings.auth.userField });
      return { document: await find({ databaseId, field, value }), hasAccount };
    },
    peek: (_databaseId, credential) => usable(users.get(credential)),
    peekAlone: (token) => usable(alone.get(token)),
    identityOf: ({ user }) => (user instanceof DirectoryUser ? user.identity : null),
    rolesOf: ({ user }, { settings }) => (user instanceof DirectoryUser ? user.rolesBy(settings.auth) : []),
    hold({ user }) {
      if (!(user instanceof DirectoryUser)) return () => undefined;
      user.holds += 1;
      let isHeld = true;
      return () => {
        if (isHeld) user.holds -= 1;
        isHeld = false;
        user.usedAt = now();
      };
    },
    endSessions(sessionIds) {
      const ended = new Set(sessionIds);
      endThese([...all].filter(({ identity: { user } }) => user.sessionId !== null && ended.has(user.sessionId)));
    },
    judgeAgain(databaseId) {
      for (const user of all)
        if (user.identity.databaseId === databaseId) for (const listener of changeListeners) listener(databaseId, user);
    },
    onChange(listener) {
      changeListeners.add(listener);
      return () => changeListeners.delete(listener);
    },
    onDeleted(listener) {
      deleteListeners.add(listener);
      return () => deleteListeners.delete(listener);
    },
    get size() {
      return all.size;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const { ready } of databases.values()) ready.then((stop) => stop(), onError);
      databases.clear();
      users.clear();
      alone.clear();
      all.clear();
    },
  };

  async function checkSession(user: DirectoryUser, sessionId: string): Promise<void> {
    const values = [[sessionId], new Date(now()).toISOString()];
    const { rowCount } = await pool.query({ ...selectSessions, values });
    if (rowCount === 0) user.end('the session has ended');
  }
}

function createPerson(databaseId: number, key: Pick<Person, 'key' | 'field' | 'value'>): Person {
  return { ...key, databaseId, document: undefined, changes: 0, reading: null, users: new Set() };
}

/** What a user is known by here: the token, and the key beside it. */
export function credentialOf(databaseId: number, token: string, keyId: string | null): string {
  return `${databaseId} ${keyId ?? ''} ${token}`;
}

function personKey({ user, userField }: UserIdentity): Pick<Person, 'key' | 'field' | 'value'> {
  const { subject, email, isOwn, sessionId } = user;
  const place = placeOf({ subject, email, hasAccount: isOwn && sessionId !== null, userField });
  return keyed(place.field, place.value);
}

function keyed(field: Person['field'], value: string): Pick<Person, 'key' | 'field' | 'value'> {
  return { key: `${field} ${value}`, field, value };
}

/** By what the document of a person is found. */
function placeOf({
  subject,
  email,
  hasAccount,
  userField,
}: Pick<UserClaims, 'subject' | 'email'> & { hasAccount: boolean } & Pick<UserIdentity, 'userField'>) {
  if (hasAccount) return { field: '_id', value: subject } as const;
  if (userField === 'email') return { field: 'email', value: email ?? '' } as const;
  return { field: 'sub', value: subject } as const;
}

function personsOf(
  persons: ReadonlyMap<string, Person>,
  documentId: string,
  ...states: readonly (JsonObject | null)[]
): Set<Person> {
  const keys = [keyed('_id', documentId).key];
  for (const state of states) {
    for (const field of ['sub', 'email'] as const) {
      const value = state?.[field];
      if (typeof value === 'string') keys.push(keyed(field, value).key);
    }
  }
  return new Set(keys.flatMap((key) => persons.get(key) ?? []));
}

function isOf({ field, value }: Person, documentId: string, state: JsonObject): boolean {
  return field === '_id' ? documentId === value : state[field] === value;
}

function isSame(one: UserDocument | null, other: UserDocument | null): boolean {
  return one === other || (one !== null && other !== null && one.id === other.id && one.version === other.version);
}

function decode(row: DocumentRow | undefined): UserDocument | null {
  return row === undefined ? null : readUserDocument(row.id, row.version, row.body);
}

/** Documents in the log are objects. */
function parse(text: string | null): JsonObject | null {
  return text === null ? null : (JSON.parse(text) as JsonObject);
}

/** As it is kept with a ticket. The token itself is not: a digest stands for it. */
export function writeUserIdentity(identity: UserIdentity): string {
  const token = createHash('sha256').update(identity.token).digest('base64url');
  return JSON.stringify({ ...identity, token } satisfies UserIdentity);
}

/** What `writeUserIdentity` wrote, read from the database. */
export function readUserIdentity(stored: unknown): UserIdentity {
  return stored as UserIdentity;
}
