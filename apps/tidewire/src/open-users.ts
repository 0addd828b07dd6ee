/** All that has to do with users of applications, over a core: for the server, and for commands. */
import { createKeyAuthenticator, type KeyAuthenticator } from '@tidewire/access/authenticate-key';
import { createPasswords, type Passwords } from '@tidewire/access/passwords';
import { usersCollection } from '@tidewire/access/user-document';
import { createUsers, type Users } from '@tidewire/access/users';
import type { LogHead } from '@tidewire/change-log/event-log';
import { createUserDocuments } from '@tidewire/change-log/user-documents';
import { createIndexesOf } from '@tidewire/collections/indexes/declared-indexes';
import { createUsersFeed } from '@tidewire/delivery/users-feed';
import type { Core } from './open-core.js';

export type OpenUsersOptions = {
  serverSecret: string;
  /** Hosts of issuers that may be asked over http and at private addresses. */
  trustedHosts: readonly string[];
  onError: (error: unknown) => void;
  /** One that notes uses, or with limits; a plain one unless given. */
  keys?: KeyAuthenticator;
  passwords?: Passwords;
};

/** To be opened before the hub, and told of what the look once a second finds (`noteHead`). */
export type OpenedUsers = Users & { noteHead(head: LogHead): void };

export function openUsers(core: Core, options: OpenUsersOptions): OpenedUsers {
  const { prisma, pool, catalog, bus, log, client, notify } = core;
  const { onError, keys, passwords, ...rest } = options;
  const now = Date.now;
  const feed = createUsersFeed({ log, bus, onError });
  const users = createUsers({
    ...rest,
    prisma,
    pool,
    catalog,
    keys: keys ?? createKeyAuthenticator({ catalog, now }),
    feed,
    documents: createUserDocuments(client.document, usersCollection),
    passwords: passwords ?? createPasswords(),
    indexesOf: createIndexesOf(catalog),
    notify,
    onError,
    now,
  });
  return {
    ...users,
    noteHead: feed.noteHead,
    close() {
      users.close();
      feed.close();
    },
  };
}
