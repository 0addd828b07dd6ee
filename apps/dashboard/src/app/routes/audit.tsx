import { useQuery } from '@tanstack/react-query';
import { createRoute, useNavigate } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { buttonClasses } from '../../components/ui/button.js';
import { Page } from '../../components/ui/page.js';
import { Panel } from '../../components/ui/panel.js';
import { AuditFilters } from '../../features/audit/components/audit-filters.js';
import { AuditPanel } from '../../features/audit/components/audit-panel.js';
import { type AuditFilter, auditSearch } from '../../features/audit/queries.js';
import { sessionQuery } from '../../features/session/queries.js';
import { databaseRoute } from './database.js';

type AuditSearch = { in?: string; who?: string; what?: string };
const textOf = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

export const auditRoute = createRoute({
  getParentRoute: () => databaseRoute,
  path: '/audit',
  validateSearch: (search: Record<string, unknown>): AuditSearch =>
    searchOf({ database: textOf(search.in), actor: textOf(search.who), action: textOf(search.what) }),
  component: AuditPage,
});

function searchOf({ database, actor, action }: AuditFilter): AuditSearch {
  return {
    ...(database === '' ? {} : { in: database }),
    ...(actor === '' ? {} : { who: actor }),
    ...(action === '' ? {} : { what: action }),
  };
}

function AuditPage() {
  const search = auditRoute.useSearch();
  const navigate = useNavigate({ from: auditRoute.fullPath });
  const { data } = useQuery(sessionQuery);
  const filter: AuditFilter = { database: search.in ?? '', actor: search.who ?? '', action: search.what ?? '' };
  return (
    <Page
      title="Audit log"
      description="Who has changed what, from where. Entries are kept for 400 days, and nobody changes them."
      actions={
        data?.admin.role === 'owner' ? (
          <a href={`/api/audit/export${auditSearch(filter)}`} download="audit.ndjson" className={buttonClasses()}>
            <Download aria-hidden />
            Export
          </a>
        ) : null
      }
    >
      <AuditFilters
        filter={filter}
        onChange={(next) => void navigate({ search: searchOf(next), replace: true, resetScroll: false })}
      />
      <Panel isFlush>
        <AuditPanel key={auditSearch(filter)} filter={filter} />
      </Panel>
    </Page>
  );
}
