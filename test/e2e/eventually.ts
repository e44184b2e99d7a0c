import { setTimeout as delay } from "node:timers/promises";

const INTERVAL_MS = 20;
const LIMIT_MS = 15_000;

/** Looks until `check` answers something else than `undefined`. Throws when that takes too long. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  limitMs = LIMIT_MS,
): Promise<T> {
  for (const end = Date.now() + limitMs; Date.now() < end; await delay(INTERVAL_MS)) {
    const found = await check();
    if (found !== undefined) return found;
  }
  throw new Error(`waited ${limitMs} ms in vain for ${what}`);
}
