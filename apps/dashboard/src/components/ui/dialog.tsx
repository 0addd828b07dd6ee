import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import { type ReactNode, type RefObject, useRef } from 'react';
import { classes } from './classes.js';
import { iconButtonClasses } from './icon-button.js';

type DialogProps = {
  isOpen: boolean;
  onClose: () => void;
  /** Runs when the closing animation is over and nothing of the dialog is seen any more. */
  onClosed?: () => void;
  title: string;
  description?: ReactNode;
  width?: 'sm' | 'md' | 'lg';
  /** Asks for an answer: pressing beside the dialog does not close it. */
  isUrgent?: boolean;
  initialFocus?: RefObject<HTMLElement | null>;
  children: ReactNode;
};

const widths = { sm: 'sm:max-w-104', md: 'sm:max-w-140', lg: 'sm:max-w-176' };

const scrimClasses =
  'fixed inset-0 z-40 bg-scrim transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0';

/**
 * A dialog in the middle; on a narrow screen it comes up from below. Its content scrolls, title and footer stay.
 * The content is unmounted once it has closed: what was typed there is forgotten.
 */
export function Dialog({
  isOpen,
  onClose,
  onClosed,
  title,
  description,
  width = 'md',
  isUrgent,
  initialFocus,
  children,
}: DialogProps) {
  const popup = useRef<HTMLDivElement>(null);
  // A form begins at its first field; with a finger that would bring up the keyboard over it, so there the dialog itself has the focus.
  const firstField = (openedBy: string) =>
    openedBy === 'touch' ? true : (popup.current?.querySelector<HTMLElement>('form input') ?? true);
  return (
    <Base.Root
      open={isOpen}
      disablePointerDismissal={isUrgent ?? false}
      onOpenChange={(open) => !open && onClose()}
      onOpenChangeComplete={(open) => !open && onClosed?.()}
    >
      <Base.Portal>
        <Base.Backdrop className={scrimClasses} />
        <Base.Viewport className="fixed inset-0 z-40 flex items-end justify-center sm:items-center sm:p-6">
          <Base.Popup
            role={isUrgent ? 'alertdialog' : 'dialog'}
            ref={popup}
            initialFocus={initialFocus ?? firstField}
            className={classes(
              'flex max-h-[92dvh] w-full flex-col rounded-t-lg border border-line bg-surface shadow-float outline-none sm:max-h-full sm:rounded-lg',
              'transition-[opacity,transform] duration-150 data-ending-style:translate-y-2 data-ending-style:opacity-0 data-starting-style:translate-y-2 data-starting-style:opacity-0',
              widths[width],
            )}
          >
            <header className="flex items-start gap-3 px-5 pt-4 pb-3">
              <div className="min-w-0 flex-1 pt-0.5">
                <Base.Title className="text-lg font-semibold tracking-[-0.01em]">{title}</Base.Title>
                {description ? (
                  <Base.Description className="mt-1 text-sm text-muted">{description}</Base.Description>
                ) : null}
              </div>
              <Base.Close aria-label="Close" className={classes(iconButtonClasses, '-mr-1.5')}>
                <X aria-hidden />
              </Base.Close>
            </header>
            {children}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

export function DialogBody({ children }: { children: ReactNode }) {
  return <div className="min-h-0 flex-1 overflow-y-auto border-t border-line px-5 py-4">{children}</div>;
}

export function DialogFooter({ children }: { children: ReactNode }) {
  return (
    <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line bg-canvas px-5 py-3 sm:rounded-b-lg">
      {children}
    </footer>
  );
}

type SheetProps = {
  isOpen: boolean;
  onClose: () => void;
  onClosed?: () => void;
  title: string;
  side?: 'left' | 'right';
  isTitleHidden?: boolean;
  children: ReactNode;
};

const sides = {
  left: 'left-0 border-r w-[min(17rem,86vw)] data-ending-style:-translate-x-4 data-starting-style:-translate-x-4',
  right:
    'right-0 border-l w-full sm:w-[min(38rem,92vw)] data-ending-style:translate-x-4 data-starting-style:translate-x-4',
};

/** A panel at the side of the screen, over the page. */
export function Sheet({ isOpen, onClose, onClosed, title, side = 'right', isTitleHidden, children }: SheetProps) {
  return (
    <Base.Root
      open={isOpen}
      onOpenChange={(open) => !open && onClose()}
      onOpenChangeComplete={(open) => !open && onClosed?.()}
    >
      <Base.Portal>
        <Base.Backdrop className={scrimClasses} />
        <Base.Popup
          className={classes(
            'fixed inset-y-0 z-40 flex flex-col border-line bg-surface shadow-float outline-none transition-[opacity,transform] duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0',
            sides[side],
          )}
        >
          <header
            className={classes(
              'flex items-center gap-3 px-4 py-3',
              isTitleHidden ? 'absolute top-0.5 right-0' : 'border-b border-line',
            )}
          >
            <Base.Title className={isTitleHidden ? 'sr-only' : 'min-w-0 flex-1 truncate font-mono text-sm font-medium'}>
              {title}
            </Base.Title>
            <Base.Close aria-label="Close" className={iconButtonClasses}>
              <X aria-hidden />
            </Base.Close>
          </header>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
