import { useLocation, useNavigate } from '@tanstack/react-router';
import { Menu as MenuIcon } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Sheet } from '../../components/ui/dialog.js';
import { IconButton } from '../../components/ui/icon-button.js';
import { Logo } from '../../components/ui/logo.js';
import { AccountMenu } from '../../features/session/components/account-menu.js';
import { ConnectionState } from './connection-state.js';
import { Navigation } from './navigation.js';
import { ThemeMenu } from './theme-menu.js';

type ShellProps = { database: string; onSignedOut: () => void; children: ReactNode };

/** The frame of every page within a database. */
export function Shell({ database, onSignedOut, children }: ShellProps) {
  const [isDrawerOpen, setIsDrawerOpen] = useState(false);
  const main = useFocusOnNavigation();
  const navigate = useNavigate();
  return (
    <div className="flex h-dvh">
      <a
        href="#content"
        className="fixed top-2 left-2 z-80 -translate-y-16 rounded-md bg-accent px-3 py-2 text-sm font-medium text-on-accent focus:translate-y-0"
      >
        Skip to content
      </a>
      <aside className="hidden w-58 shrink-0 border-r border-line bg-canvas lg:block">
        <Navigation database={database} />
      </aside>
      <Sheet isOpen={isDrawerOpen} onClose={() => setIsDrawerOpen(false)} title="Navigation" side="left" isTitleHidden>
        <Navigation database={database} onNavigate={() => setIsDrawerOpen(false)} />
      </Sheet>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex h-12 shrink-0 items-center gap-1.5 border-b border-line bg-surface px-3 sm:px-6 lg:px-8">
          <IconButton label="Open navigation" onClick={() => setIsDrawerOpen(true)} className="-ml-1.5 lg:hidden">
            <MenuIcon aria-hidden />
          </IconButton>
          <span className="flex min-w-0 items-center gap-2 lg:hidden">
            <Logo size={22} />
            <span className="truncate text-sm font-medium">{database}</span>
          </span>
          <div className="ml-auto flex items-center gap-1.5">
            <span className="mr-2">
              <ConnectionState />
            </span>
            <ThemeMenu />
            <AccountMenu
              onAccount={() => void navigate({ to: '/db/$database/account', params: { database } })}
              onSignedOut={onSignedOut}
            />
          </div>
        </header>
        {/* What is placed by hand below, for screen readers as well, scrolls with the content and does not lengthen the window. */}
        <main ref={main} id="content" tabIndex={-1} className="relative min-h-0 flex-1 overflow-y-auto outline-none">
          {children}
        </main>
      </div>
    </div>
  );
}

/** Puts the focus to the content when another page is shown, so that reading goes on there and not in the navigation. */
function useFocusOnNavigation() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    main.current?.focus({ preventScroll: true });
    main.current?.scrollTo({ top: 0 });
  }, [pathname]);
  return main;
}
