import type { KeyJson } from "../api.js";

/** The keys of every page of a list, until there is no next one. */
export async function walkPages(
  list: (pageToken: string) => Promise<{ readonly keys: readonly KeyJson[]; readonly next_page_token: string }>,
): Promise<readonly (readonly KeyJson[])[]> {
  const pages: (readonly KeyJson[])[] = [];
  let token = "";
  do {
    const { keys, next_page_token } = await list(token);
    pages.push(keys);
    token = next_page_token;
  } while (token !== "");
  return pages;
}
