import { Link, useNavigate } from '@tanstack/react-router';
import { Gauge, KeyRound, Layers, Radio, SlidersHorizontal } from 'lucide-react';
import { Wordmark } from '../../components/ui/logo.js';
import { DatabaseSwitcher } from '../../features/databases/components/database-switcher.js';

const rooms = [
  { to: '/db/$database', label: 'Overview', Icon: Gauge, isExact: true },
  { to: '/db/$database/collections', label: 'Collections', Icon: Layers, isExact: false },
  { to: '/db/$database/events', label: 'Events', Icon: Radio, isExact: false },
  { to: '/db/$database/keys', label: 'Keys', Icon: KeyRound, isExact: false },
  { to: '/db/$database/settings', label: 'Settings', Icon: SlidersHorizontal, isExact: false },
] as const;

/** The sidebar's content, also shown in the drawer of narrow screens. */
export function Navigation({ database, onNavigate }: { database: string; onNavigate?: () => void }) {
  const navigate = useNavigate();
  return (
    <div className="flex h-full flex-col gap-4 p-3">
      <Link
        to="/db/$database"
        params={{ database }}
        aria-label="Tidewire, overview"
        onClick={onNavigate}
        className="rounded-md px-2 pt-1.5 pb-1"
      >
        <Wordmark />
      </Link>
      <DatabaseSwitcher
        database={database}
        onChange={(name) => {
          void navigate({ to: '/db/$database', params: { database: name } });
          onNavigate?.();
        }}
      />
      <nav aria-label="Main">
        <ul className="flex flex-col gap-0.5">
          {rooms.map(({ to, label, Icon, isExact }) => (
            <li key={to}>
              <Link
                to={to}
                params={{ database }}
                onClick={onNavigate}
                activeOptions={{ exact: isExact, includeSearch: false }}
                className="flex h-8.5 items-center gap-2.5 rounded-md px-2.5 text-sm text-muted transition-colors hover:bg-hover hover:text-text aria-[current=page]:bg-selected aria-[current=page]:font-medium aria-[current=page]:text-text max-sm:h-11 [&_svg]:size-4 aria-[current=page]:[&_svg]:text-accent-text"
              >
                <Icon aria-hidden />
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </div>
  );
}
