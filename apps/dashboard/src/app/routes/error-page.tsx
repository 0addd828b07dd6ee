import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { ErrorState } from '../../components/ui/error-state.js';
import { EntryFrame } from '../../features/session/components/entry-frame.js';

/** Catches what a page could not: a fault of ours, or a page whose first request failed. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <EntryFrame title="This did not work" intro="The page could not be shown.">
      <ErrorState error={error} onRetry={retry} />
    </EntryFrame>
  );
}
