import { Monitor, Moon, Sun } from 'lucide-react';
import { iconButtonClasses } from '../../components/ui/icon-button.js';
import { Menu, MenuChoice } from '../../components/ui/menu.js';
import { chooseTheme, type ThemeChoice, useThemeChoice } from '../../lib/theme.js';

const options: readonly { value: ThemeChoice; label: string; icon: React.ReactNode }[] = [
  { value: 'light', label: 'Light', icon: <Sun aria-hidden /> },
  { value: 'dark', label: 'Dark', icon: <Moon aria-hidden /> },
  { value: 'system', label: 'System', icon: <Monitor aria-hidden /> },
];

export function ThemeMenu() {
  const choice = useThemeChoice();
  return (
    <Menu
      trigger={
        <button type="button" aria-label="Theme" title="Theme" className={iconButtonClasses}>
          <Sun aria-hidden className="dark:hidden" />
          <Moon aria-hidden className="hidden dark:block" />
        </button>
      }
    >
      <MenuChoice value={choice} options={options} onChange={chooseTheme} />
    </Menu>
  );
}
