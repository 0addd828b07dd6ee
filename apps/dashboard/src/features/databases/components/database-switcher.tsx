import { useQuery } from '@tanstack/react-query';
import { ChevronsUpDown, Database } from 'lucide-react';
import { Menu, MenuChoice } from '../../../components/ui/menu.js';
import { databasesQuery } from '../queries.js';

export function DatabaseSwitcher({ database, onChange }: { database: string; onChange: (database: string) => void }) {
  const { data = [] } = useQuery(databasesQuery);
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          aria-label={`Database ${database}`}
          className="flex h-9 w-full min-w-0 items-center gap-2 rounded-md border border-line bg-surface px-2.5 text-sm font-medium transition-colors hover:bg-hover max-sm:h-11"
        >
          <Database aria-hidden className="size-4 shrink-0 text-faint" />
          <span className="min-w-0 flex-1 truncate text-left">{database}</span>
          <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-faint" />
        </button>
      }
    >
      <MenuChoice
        value={database}
        options={data.filter(({ deletion }) => deletion === null).map(({ name }) => ({ value: name, label: name }))}
        onChange={onChange}
      />
    </Menu>
  );
}
