import { randomUUID } from "node:crypto";

/** A key as another service would have made it; no two are the same. */
export function randomRawKey(): string {
  return `legacy-${randomUUID()}`;
}
