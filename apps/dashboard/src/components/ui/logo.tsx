/** Our sign: a wire on which a wave travels and arrives as an event. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="shrink-0">
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <path
        d="M4.5 18.5h5c3.4 0 3.6-7 6.5-7s3.1 9 6.4 9"
        fill="none"
        strokeWidth="2.6"
        strokeLinecap="round"
        className="stroke-on-accent"
      />
      <circle cx="25.4" cy="20.5" r="2.6" className="fill-on-accent" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className="flex items-center gap-2.5">
      <Logo />
      <span className="text-lg font-semibold tracking-[-0.02em]">Tidewire</span>
    </span>
  );
}
