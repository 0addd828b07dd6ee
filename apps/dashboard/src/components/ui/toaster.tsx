import { Toast } from '@base-ui/react/toast';
import { CircleCheck, TriangleAlert, X } from 'lucide-react';
import { classes } from './classes.js';
import { iconButtonClasses } from './icon-button.js';

const manager = Toast.createToastManager();

/** Tells shortly that something is done. Mistakes are shown where they happened, not here. */
export function toastDone(title: string): void {
  manager.add({ title, type: 'done' });
}

/** Tells of a failure that belongs to no place on the page. */
export function toastFailed(title: string, detail: string): void {
  manager.add({ title, description: detail, type: 'failed', priority: 'high', timeout: 9000 });
}

export function Toaster() {
  return (
    <Toast.Provider toastManager={manager} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 left-4 z-70 flex flex-col items-end gap-2 sm:left-auto sm:w-88">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="w-full rounded-lg border border-line bg-raised shadow-float transition-[opacity,transform] duration-150 data-ending-style:translate-y-1 data-ending-style:opacity-0 data-limited:hidden data-starting-style:translate-y-1 data-starting-style:opacity-0"
    >
      <Toast.Content className="flex items-start gap-2.5 py-2 pr-1.5 pl-3.5">
        {toast.type === 'failed' ? (
          <TriangleAlert aria-hidden className="mt-2 size-4 shrink-0 text-delete" />
        ) : (
          <CircleCheck aria-hidden className="mt-2 size-4 shrink-0 text-post" />
        )}
        <div className="min-w-0 flex-1 py-1.5 text-sm">
          <Toast.Title className="font-medium" />
          <Toast.Description className="text-muted" />
        </div>
        <Toast.Close aria-label="Dismiss" className={classes(iconButtonClasses)}>
          <X aria-hidden />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
