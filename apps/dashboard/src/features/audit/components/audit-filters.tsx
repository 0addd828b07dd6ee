import { Field } from '../../../components/ui/field.js';
import type { AuditFilter } from '../queries.js';

type AuditFiltersProps = { filter: AuditFilter; onChange: (filter: AuditFilter) => void };

const fields = [
  { name: 'action', label: 'What', placeholder: 'key.* or key.create' },
  { name: 'actor', label: 'Who', placeholder: 'ada@example.org or cli' },
  { name: 'database', label: 'Database', placeholder: 'default' },
] as const;

export function AuditFilters({ filter, onChange }: AuditFiltersProps) {
  return (
    <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
      {fields.map(({ name, label, placeholder }) => (
        <Field
          key={name}
          label={label}
          name={name}
          placeholder={placeholder}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={200}
          value={filter[name]}
          onChange={(event) => onChange({ ...filter, [name]: event.target.value.trim() })}
        />
      ))}
    </div>
  );
}
