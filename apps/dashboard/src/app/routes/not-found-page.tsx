import { Link } from '@tanstack/react-router';
import { buttonClasses } from '../../components/ui/button.js';
import { EntryFrame } from '../../features/session/components/entry-frame.js';

export function NotFoundPage() {
  return (
    <EntryFrame
      title="Page not found"
      intro="There is nothing at this address. It may have been mistyped, or belong to another server."
    >
      <Link to="/" className={buttonClasses('primary')}>
        To the overview
      </Link>
    </EntryFrame>
  );
}
