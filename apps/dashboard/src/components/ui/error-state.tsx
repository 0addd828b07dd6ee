import { CloudOff, Lock, RotateCw, TriangleAlert } from 'lucide-react';
import { ApiError, CutOffError, isForbidden, UnreachableError } from '../../lib/api-error.js';
import { Button } from './button.js';
import { classes } from './classes.js';

type Words = { title: string; detail: string; requestId: string | undefined };

function wordsFor(error: unknown): Words {
  if (error instanceof ApiError) {
    return { title: error.title, detail: error.detail, requestId: error.requestId };
  }
  if (error instanceof UnreachableError) {
    return {
      title: 'The server cannot be reached',
      detail: 'Check that it is running and that you are connected. Nothing has been lost: try again when it is back.',
      requestId: undefined,
    };
  }
  if (error instanceof CutOffError) {
    return {
      title: 'The answer broke off',
      detail: 'The server may still be at work. Look how far it came; starting again goes on with what is left.',
      requestId: undefined,
    };
  }
  return {
    title: 'This page has a fault',
    detail:
      'The answer of the server was not what this dashboard expects. Reload the page; after an update of the server that is often all it needs.',
    requestId: undefined,
  };
}

/** In place of a list or a page that could not be loaded: what happened, in the server's words, and the way on. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, detail, requestId } = wordsFor(error);
  const Icon = isForbidden(error) ? Lock : error instanceof UnreachableError ? CloudOff : TriangleAlert;
  return (
    <div role="alert" className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      <span className="mb-1 flex size-10 items-center justify-center rounded-full bg-delete-soft text-delete">
        <Icon aria-hidden className="size-5" />
      </span>
      <p className="font-medium">{isForbidden(error) ? 'You may not see this' : title}</p>
      <p className="max-w-[60ch] text-sm text-muted">{detail}</p>
      {requestId ? <RequestId id={requestId} /> : null}
      {onRetry && !isForbidden(error) ? (
        <Button size="sm" className="mt-2" icon={<RotateCw aria-hidden />} onClick={onRetry}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}

/** A refusal within a form or dialog. */
export function ErrorNote({ error, className }: { error: unknown; className?: string }) {
  const { title, detail, requestId } = wordsFor(error);
  return (
    <div
      role="alert"
      className={classes('rounded-md border border-delete/30 bg-delete-soft px-3 py-2.5 text-sm', className)}
    >
      <p className="font-medium text-delete">{title}</p>
      <p className="mt-0.5 text-text">{detail}</p>
      {requestId ? <RequestId id={requestId} /> : null}
    </div>
  );
}

function RequestId({ id }: { id: string }) {
  return (
    <p className="mt-1 text-xs text-muted">
      Request <code className="select-all">{id}</code>
    </p>
  );
}
