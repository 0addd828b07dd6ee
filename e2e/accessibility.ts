/** What axe-core finds on a page of the dashboard. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** The wide layout, and the narrow one: stacked tables, and the navigation in a drawer. */
const widths = [1280, 400] as const;
const height = 900;
/** By far the dearest rule: for each text it asks the browser what lies above and below it. */
const contrastRule = 'color-contrast';

/**
 * Fails when the page that is shown has a serious or critical fault in either layout and either colour scheme, or can be scrolled sideways or past its end (the content
 * scrolls, the window does not). Contrast is looked at once in each scheme, in the wide layout: the narrow one takes its colours from the same tokens, and no other rule asks for colours.
 */
export async function expectAccessible(page: Page): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height });
    const size = await page.evaluate<number[]>(
      '[document.documentElement.scrollWidth, document.documentElement.scrollHeight]',
    );
    expect(size).toEqual([width, height]);
    expect(await faultsOf(builder(page).disableRules(contrastRule))).toEqual([]);
  }
  await page.setViewportSize({ width: widths[0], height });
  for (const colorScheme of ['light', 'dark'] as const) {
    // A colour on its way to another would be a fault of no page.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveAttribute('data-theme', colorScheme);
    expect(await faultsOf(builder(page).withRules(contrastRule)), colorScheme).toEqual([]);
  }
}

/** No page has frames, so axe need not open one of its own for its result. */
function builder(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'], preload: false });
}

async function faultsOf(axe: AxeBuilder): Promise<string[]> {
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
