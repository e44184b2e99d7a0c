import type { Environment } from "./environment.js";

interface Lease {
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly expireTime: number;
}

/** Takes or renews a lease inside a transaction. `false`: another holder has it. */
export function takeLease(tables: Environment, name: string, holder: string, ttlMs: number, now: Date): boolean {
  const key = Buffer.from(name);
  const text = tables.leases.get(key);
  const lease = text === undefined ? undefined : (JSON.parse(text) as Lease);
  if (lease !== undefined && lease.holder !== holder && lease.expireTime > now.getTime()) return false;
  const taken: Lease = { holder, expireTime: now.getTime() + ttlMs };
  tables.leases.put(key, JSON.stringify(taken));
  return true;
}
