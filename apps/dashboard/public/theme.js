// Runs before the first paint, so that no page flashes in the wrong theme. src/lib/theme.ts keeps it up to date from then on.
(() => {
  let choice = null;
  try {
    choice = localStorage.getItem('tidewire.theme');
  } catch {
    // Storage can be refused by the browser; then the system's theme is taken.
  }
  const isDark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
})();
