import { useQuery } from '@tanstack/react-query';
import { LogOut, UserRound } from 'lucide-react';
import { iconButtonClasses } from '../../../components/ui/icon-button.js';
import { Menu, MenuItem, MenuSeparator } from '../../../components/ui/menu.js';
import { toastFailed } from '../../../components/ui/toaster.js';
import { sessionQuery } from '../queries.js';
import { useSignOut } from '../sign-out.js';

type AccountMenuProps = { onAccount: () => void; onSignedOut: () => void };

export function AccountMenu({ onAccount, onSignedOut }: AccountMenuProps) {
  const { data } = useQuery(sessionQuery);
  const signOut = useSignOut();
  const email = data?.admin.email ?? '';
  const leave = () =>
    signOut.mutate(undefined, {
      onSuccess: onSignedOut,
      onError: (error) => toastFailed('You are still signed in', error.message),
    });
  return (
    <Menu
      trigger={
        <button type="button" aria-label={`Account ${email}`} className={`${iconButtonClasses} rounded-full!`}>
          <span
            aria-hidden
            className="flex size-6.5 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent-text uppercase"
          >
            {email.slice(0, 1)}
          </span>
        </button>
      }
    >
      <p className="max-w-64 px-2.5 py-1.5">
        <span className="block text-xs text-faint">Signed in as</span>
        <span className="block truncate font-medium" title={email}>
          {email}
        </span>
      </p>
      <MenuSeparator />
      <MenuItem icon={<UserRound aria-hidden />} onClick={onAccount}>
        Account
      </MenuItem>
      <MenuItem icon={<LogOut aria-hidden />} onClick={leave}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
