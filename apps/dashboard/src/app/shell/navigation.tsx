import { Link, useNavigate } from '@tanstack/react-router';
import {
  Contact,
  Database,
  Gauge,
  KeyRound,
  Layers,
  Radio,
  ScrollText,
  ShieldCheck,
  SlidersHorizontal,
  Users,
} from 'lucide-react';
import { Wordmark } from '../../components/ui/logo.js';
import { DatabaseSwitcher } from '../../features/databases/components/database-switcher.js';

const rooms = [
  { to: '/db/$database', label: 'Overview', Icon: Gauge, isExact: true },
  { to: '/db/$database/collections', label: 'Collections', Icon: Layers, isExact: false },
  { to: '/db/$database/events', label: 'Events', Icon: Radio, isExact: false },
  { to: '/db/$database/keys', label: 'Keys', Icon: KeyRound, isExact: false },
  { to: '/db/$database/roles', label: 'Roles', Icon: ShieldCheck, isExact: false },
  { to: '/db/$database/users', label: 'Users', Icon: Users, isExact: false },
  { to: '/db/$database/settings', label: 'Settings', Icon: SlidersHorizontal, isExact: false },
] as const;
/** What belongs to no single database; shown within the one that was looked at. */
const serverRooms = [
  { to: '/db/$database/databases', label: 'Databases', Icon: Database, isExact: false },
  { to: '/db/$database/people', label: 'People', Icon: Contact, isExact: false },
  { to: '/db/$database/audit', label: 'Audit log', Icon: ScrollText, isExact: false },
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
      <nav aria-label="Main" className="flex flex-col gap-4">
        <Rooms rooms={rooms} database={database} onNavigate={onNavigate} />
        <div className="flex flex-col gap-1">
          <p className="px-2.5 text-2xs font-medium text-faint">Server</p>
          <Rooms rooms={serverRooms} database={database} onNavigate={onNavigate} />
        </div>
      </nav>
    </div>
  );
}

type RoomsProps = {
  rooms: typeof rooms | typeof serverRooms;
  database: string;
  onNavigate: (() => void) | undefined;
};

function Rooms({ rooms: shown, database, onNavigate }: RoomsProps) {
  return (
    <ul className="flex flex-col gap-0.5">
      {shown.map(({ to, label, Icon, isExact }) => (
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
  );
}
