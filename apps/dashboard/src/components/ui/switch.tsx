import { Switch as Base } from '@base-ui/react/switch';

type SwitchProps = {
  label: string;
  describedBy?: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
};

export function Switch({ label, describedBy, checked, disabled, onChange }: SwitchProps) {
  return (
    <Base.Root
      aria-label={label}
      aria-describedby={describedBy}
      checked={checked}
      disabled={disabled}
      onCheckedChange={(next) => onChange(next)}
      className="relative inline-flex h-5.5 w-10 shrink-0 cursor-pointer items-center rounded-full border border-line-strong bg-hover transition-colors data-checked:border-accent data-checked:bg-accent data-disabled:cursor-not-allowed data-disabled:opacity-55"
    >
      <Base.Thumb className="ml-0.75 size-3.5 rounded-full bg-muted transition-transform data-checked:translate-x-4.25 data-checked:bg-on-accent" />
    </Base.Root>
  );
}
