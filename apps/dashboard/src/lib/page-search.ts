/** The page of a list as it stands in the URL: `?max=50&skip=100`. What is wrong there is corrected, never an error. */

export type PageSearch = { max?: number; skip?: number };
export type Page = { max: number; skip: number };

export const pageSizes = [25, 50, 100, 200] as const;
export const defaultPageSize = 50;

/** Keeps what is a page and drops the defaults, so that the plain URL is the first page. */
export function parsePageSearch(search: Record<string, unknown>): PageSearch {
  const { max, skip } = readPage(search);
  return { ...(max === defaultPageSize ? {} : { max }), ...(skip === 0 ? {} : { skip }) };
}

/** The page that is meant, with defaults filled in. */
export function readPage(search: { max?: unknown; skip?: unknown }): Page {
  const max = Number(search.max);
  const skip = Number(search.skip);
  return {
    max: pageSizes.find((size) => size === max) ?? defaultPageSize,
    skip: Number.isSafeInteger(skip) && skip > 0 ? skip : 0,
  };
}

/** Where the neighbours of a page start, null where there is none, and which items it shows (counted from 1). */
export function pageAround(
  page: Page,
  total: number,
): { first: number; last: number; previous: number | null; next: number | null } {
  const last = Math.min(page.skip + page.max, total);
  return {
    first: total === 0 ? 0 : Math.min(page.skip + 1, total),
    last,
    previous: page.skip > 0 ? Math.max(0, page.skip - page.max) : null,
    next: page.skip + page.max < total ? page.skip + page.max : null,
  };
}
