import { type ReactNode, useEffect } from 'react';
import { Wordmark } from '../../../components/ui/logo.js';

/** The page around signing in and setting up: one column, our sign, and the wire running through. */
export function EntryFrame({ title, intro, children }: { title: string; intro: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Tidewire`;
  }, [title]);
  return (
    <main className="relative flex min-h-dvh flex-col items-center overflow-hidden bg-canvas px-4 py-10 sm:justify-center">
      <WireBackdrop />
      <div className="relative flex w-full max-w-96 flex-col gap-6">
        <Wordmark />
        <div className="rounded-lg border border-line bg-surface p-6 shadow-float">
          <h1 className="text-xl font-semibold tracking-[-0.015em]">{title}</h1>
          <div className="mt-1 mb-5 text-sm text-muted">{intro}</div>
          {children}
        </div>
      </div>
    </main>
  );
}

function WireBackdrop() {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 1600 240"
      preserveAspectRatio="none"
      className="absolute inset-x-0 top-1/2 h-60 w-full -translate-y-1/2 text-accent opacity-25"
    >
      <path
        d="M0 130H320c120 0 130-90 230-90s120 150 250 150 140-110 260-110 120 50 220 50h320"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
