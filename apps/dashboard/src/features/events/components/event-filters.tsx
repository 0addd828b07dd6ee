import { eventTypes } from '@tidewire/protocol/channel';
import { Search, X } from 'lucide-react';
import { Button } from '../../../components/ui/button.js';
import { inputClasses } from '../../../components/ui/field.js';
import { Select } from '../../../components/ui/select.js';
import { type EventFilter, isFiltering } from '../event-filter.js';

type EventFiltersProps = {
  filter: EventFilter;
  collections: readonly string[];
  onChange: (filter: EventFilter) => void;
};

const any = '';
const typeOptions = [
  { value: any, label: 'All types' },
  ...eventTypes.map((type) => ({ value: type, label: type.toUpperCase() })),
];

export function EventFilters({ filter, collections, onChange }: EventFiltersProps) {
  const { type, collection, text, ...none } = filter;
  const names = collection && !collections.includes(collection) ? [collection, ...collections] : collections;
  const collectionOptions = [
    { value: any, label: 'All collections' },
    ...names.map((name) => ({ value: name, label: name })),
  ];
  const without = (field: keyof EventFilter) => {
    const { [field]: _, ...others } = filter;
    return others;
  };
  const pick = <K extends keyof EventFilter>(field: K, value: EventFilter[K] | undefined) =>
    onChange(value ? { ...filter, [field]: value } : without(field));
  return (
    <search className="flex min-w-0 flex-1 flex-wrap items-center gap-2 max-sm:contents">
      <label className="relative min-w-40 flex-1 max-sm:order-1 sm:max-w-72">
        <span className="sr-only">Search events</span>
        <Search
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-faint"
        />
        <input
          type="search"
          value={text ?? ''}
          maxLength={200}
          placeholder="Search in data, ids, actors"
          onChange={(event) => pick('text', event.target.value)}
          className={`${inputClasses} pl-8.5!`}
        />
      </label>
      <Select
        label="Type"
        value={type ?? any}
        options={typeOptions}
        onChange={(value) =>
          pick(
            'type',
            eventTypes.find((known) => known === value),
          )
        }
        className="w-32 max-sm:order-3 max-sm:flex-1 max-sm:basis-2/5"
      />
      <Select
        label="Collection"
        value={collection ?? any}
        options={collectionOptions}
        onChange={(value) => pick('collection', value)}
        className="w-44 max-sm:order-3 max-sm:flex-1 max-sm:basis-2/5"
      />
      {isFiltering(filter) ? (
        <Button variant="quiet" icon={<X aria-hidden />} onClick={() => onChange(none)} className="max-sm:order-4">
          Clear
        </Button>
      ) : null}
    </search>
  );
}
