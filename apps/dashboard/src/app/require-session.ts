import type { QueryClient } from '@tanstack/react-query';
import { redirect } from '@tanstack/react-router';
import { sessionQuery, setupQuery } from '../features/session/queries.js';
import { isSignedOut } from '../lib/api-error.js';

/** Lets signed-in admins through. Others are led to the setup of a new server, or to the sign-in page and back here afterwards. */
export async function requireSession(queryClient: QueryClient, href: string): Promise<void> {
  try {
    await queryClient.ensureQueryData(sessionQuery);
  } catch (error) {
    if (!isSignedOut(error)) throw error;
    const { needed } = await queryClient.ensureQueryData(setupQuery);
    if (needed) throw redirect({ to: '/setup', search: {} });
    throw redirect({ to: '/sign-in', search: href === '/' ? {} : { return: href } });
  }
}
