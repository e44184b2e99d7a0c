import type { Environment } from "./environment.js";

/** What is stored under a name, inside a transaction; stores `value` when nothing is. */
export function takeClaim(tables: Environment, name: string, value: Uint8Array): Uint8Array {
  const key = Buffer.from(name);
  const claimed = tables.claims.get(key);
  if (claimed === undefined) tables.claims.put(key, value);
  // A copy: LMDB's memory is not the caller's, nor is the caller's array the next one's.
  return new Uint8Array(claimed ?? value);
}
