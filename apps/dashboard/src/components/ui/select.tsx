import { Select as Base } from '@base-ui/react/select';
import { Check, ChevronsUpDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { classes } from './classes.js';
import { menuItemClasses, popupClasses } from './menu.js';

export type SelectOption = { value: string; label: string };
type SelectProps = {
  label: string;
  value: string;
  options: readonly SelectOption[];
  onChange: (value: string) => void;
  className?: string;
  icon?: ReactNode;
};

/** One of a few. The label is its name for assistive technology; show a visible one beside it where the context does not say it. */
export function Select({ label, value, options, onChange, className, icon }: SelectProps) {
  return (
    <Base.Root items={options} value={value} onValueChange={(next) => next !== null && onChange(next)}>
      <Base.Trigger
        aria-label={label}
        className={classes(
          'inline-flex h-8.5 min-w-0 items-center justify-between gap-2 rounded-md border border-line-strong bg-raised px-2.5 text-sm transition-colors hover:bg-hover max-sm:h-10 dark:bg-sunken',
          className,
        )}
      >
        {icon}
        <Base.Value className="min-w-0 flex-1 truncate text-left" />
        <Base.Icon>
          <ChevronsUpDown aria-hidden className="size-3.5 text-faint" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50">
          <Base.Popup
            className={classes(popupClasses, 'max-h-(--available-height) min-w-(--anchor-width) overflow-y-auto')}
          >
            {options.map((option) => (
              <Base.Item key={option.value} value={option.value} className={menuItemClasses}>
                <Base.ItemText className="min-w-0 flex-1 truncate">{option.label}</Base.ItemText>
                <Base.ItemIndicator>
                  <Check aria-hidden className="size-3.5 text-accent-text" />
                </Base.ItemIndicator>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
