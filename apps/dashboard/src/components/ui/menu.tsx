import { Menu as Base } from '@base-ui/react/menu';
import type { ReactElement, ReactNode } from 'react';

export const popupClasses =
  'max-w-[min(22rem,calc(100vw-1.5rem))] rounded-lg border border-line bg-raised p-1 text-sm shadow-float outline-none transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0';
export const menuItemClasses =
  'flex min-h-8 cursor-default items-center gap-2 rounded-sm px-2.5 py-1 outline-none select-none data-disabled:opacity-50 data-highlighted:bg-hover max-sm:min-h-10 [&_svg]:size-4 [&_svg]:shrink-0';

type MenuProps = { trigger: ReactElement<Record<string, unknown>>; align?: 'start' | 'end'; children: ReactNode };

export function Menu({ trigger, align = 'end', children }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align={align} sideOffset={6} className="z-50">
          <Base.Popup className={`${popupClasses} min-w-48`}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export function MenuItem({ icon, onClick, children }: { icon?: ReactNode; onClick: () => void; children: ReactNode }) {
  return (
    <Base.Item className={menuItemClasses} onClick={onClick}>
      {icon}
      {children}
    </Base.Item>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="mx-1 my-1 h-px bg-line" />;
}

type MenuChoiceProps<T extends string> = {
  value: T;
  options: readonly { value: T; label: string; icon?: ReactNode; note?: string }[];
  onChange: (value: T) => void;
};

/** One of a few within a menu. */
export function MenuChoice<T extends string>({ value, options, onChange }: MenuChoiceProps<T>) {
  return (
    <Base.RadioGroup value={value} onValueChange={(next: T) => onChange(next)}>
      {options.map((option) => (
        <Base.RadioItem key={option.value} value={option.value} closeOnClick className={menuItemClasses}>
          {option.icon}
          <span className="min-w-0 flex-1 truncate">{option.label}</span>
          {option.note ? <span className="text-xs text-faint">{option.note}</span> : null}
          <Base.RadioItemIndicator className="size-1.5 rounded-full bg-accent" />
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  );
}
