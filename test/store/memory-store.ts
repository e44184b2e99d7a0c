import { compareCodePoints } from "../../src/query/compare-code-points.js";
import { CallGate } from "../../src/store/call-gate.js";
import { applyChange } from "../../src/store/embedded/apply-change.js";
import {
  type InsertResult,
  type KeyChange,
  type KeyId,
  type KeyRecord,
  type KeyStore,
  type KeyUse,
  type ListQuery,
  type ListSlice,
  type RestoreResult,
  type ScanSlice,
  wholeSlice,
} from "../../src/store/key-store.js";

export interface Tombstone {
  readonly deleted: true;
  readonly version: number;
  readonly deleteTime: Date;
}

export type Entry = KeyRecord | Tombstone;

/** All that a store holds. Entries are replaced, never changed. */
export interface MemoryTables {
  /** By `entryName`. */
  readonly keys: Map<string, Entry>;
  readonly leases: Map<string, { readonly holder: string; readonly endMs: number }>;
  readonly claims: Map<string, Uint8Array>;
}

/**
 * The store contract in memory, for tests that have to see or to choose what a store holds. Every call happens as a whole at
 * the moment that it is made. `clock` dates tombstones and leases.
 */
export class MemoryStore implements KeyStore {
  readonly #tables: MemoryTables;
  readonly #clock: () => Date;
  readonly #gate = new CallGate();

  constructor(tables: MemoryTables = createTables(), clock = () => new Date()) {
    this.#tables = tables;
    this.#clock = clock;
  }

  async insert(record: KeyRecord): Promise<InsertResult> {
    this.#gate.check();
    const found = this.#tables.keys.get(entryName(record));
    if (found !== undefined && !isTombstone(found)) return { outcome: "exists" };
    return { outcome: "inserted", record: this.#put({ ...copyRecord(record), version: (found?.version ?? 0) + 1 }) };
  }

  async insertMany(records: readonly KeyRecord[]): Promise<InsertResult[]> {
    this.#gate.check();
    return Promise.all(records.map((record) => this.insert(record)));
  }

  async read(id: KeyId): Promise<KeyRecord | undefined> {
    return this.#find(id);
  }

  async readMany(tenantId: string, keyIds: readonly string[]): Promise<(KeyRecord | undefined)[]> {
    this.#gate.check();
    return Promise.all(keyIds.map((keyId) => this.read({ tenantId, keyId })));
  }

  readForVerification(id: KeyId): Promise<KeyRecord | undefined> {
    return this.read(id);
  }

  readManyForVerification(tenantId: string, keyIds: readonly string[]): Promise<(KeyRecord | undefined)[]> {
    return this.readMany(tenantId, keyIds);
  }

  async compareAndSet(id: KeyId, version: number, change: KeyChange): Promise<KeyRecord | undefined> {
    const record = this.#find(id);
    return record?.version === version ? this.#put(copyRecord(applyChange(record, change))) : undefined;
  }

  async recordUses(uses: readonly KeyUse[]): Promise<void> {
    this.#gate.check();
    for (const { time, ...id } of uses) {
      const record = this.#find(id);
      if (record === undefined || record.createTime > time) continue;
      if (record.lastUsedTime === undefined || record.lastUsedTime < time) this.#put({ ...record, lastUsedTime: time });
    }
  }

  async delete(id: KeyId, version: number): Promise<boolean> {
    const record = this.#find(id);
    if (record?.version !== version) return false;
    this.#tables.keys.set(entryName(id), { deleted: true, version: version + 1, deleteTime: this.#clock() });
    return true;
  }

  async list({ tenantId, kind, actorId, status, createdFrom, after, limit }: ListQuery): Promise<ListSlice> {
    const records = this.#records()
      .filter((record) => record.tenantId === tenantId && record.kind === kind)
      .filter((record) => actorId === undefined || record.actorId === actorId)
      .filter((record) => status === undefined || record.listed.status === status)
      .filter((record) => createdFrom === undefined || record.createTime >= createdFrom)
      .filter((record) => after === undefined || compareListed(after, record) < 0)
      .sort(compareListed);
    return wholeSlice(records.slice(0, limit), limit);
  }

  async listDue(before: Date, limit: number): Promise<KeyRecord[]> {
    const untilMs = ({ listed }: KeyRecord) => listed.until?.getTime() ?? Number.POSITIVE_INFINITY;
    return this.#records()
      .filter((record) => untilMs(record) < before.getTime())
      .sort((a, b) => untilMs(a) - untilMs(b))
      .slice(0, limit);
  }

  async listAhead(after: Date, limit: number): Promise<KeyRecord[]> {
    const sinceMs = ({ listed }: KeyRecord) => listed.since?.getTime() ?? Number.NEGATIVE_INFINITY;
    return this.#records()
      .filter((record) => sinceMs(record) > after.getTime())
      .sort((a, b) => sinceMs(b) - sinceMs(a))
      .slice(0, limit);
  }

  async listPending(createdBefore: Date, limit: number): Promise<KeyRecord[]> {
    return this.#records()
      .filter((record) => record.pending !== undefined && record.createTime < createdBefore)
      .sort((a, b) => a.createTime.getTime() - b.createTime.getTime())
      .slice(0, limit);
  }

  async listSealed(expiredBefore: Date, limit: number): Promise<KeyRecord[]> {
    const expiryMs = (record: KeyRecord) => record.sealedSecret?.expireTime.getTime() ?? Number.POSITIVE_INFINITY;
    return this.#records()
      .filter((record) => expiryMs(record) < expiredBefore.getTime())
      .sort((a, b) => expiryMs(a) - expiryMs(b))
      .slice(0, limit);
  }

  async scan(after: KeyId | undefined, limit: number): Promise<ScanSlice> {
    this.#gate.check();
    const names = [...this.#tables.keys.keys()].sort(compareCodePoints);
    const first = after === undefined ? 0 : names.findIndex((name) => compareCodePoints(name, entryName(after)) > 0);
    const looked = first < 0 ? [] : names.slice(first, first + limit);
    const last = looked.length === limit ? looked.at(-1) : undefined;
    const [tenantId, keyId] = last === undefined ? [] : (JSON.parse(last) as [string, string]);
    const entries = looked.flatMap((name) => this.#tables.keys.get(name) ?? []);
    const records = entries.filter((entry): entry is KeyRecord => !isTombstone(entry));
    return { records, ...(tenantId !== undefined && keyId !== undefined && { end: { tenantId, keyId } }) };
  }

  async restoreMany(records: readonly KeyRecord[]): Promise<RestoreResult[]> {
    this.#gate.check();
    return records.map((record) => {
      const found = this.#tables.keys.get(entryName(record));
      if (found === undefined || found.version < record.version) {
        this.#put(copyRecord(record));
        return "restored";
      }
      const isSame = found.version === record.version && !isTombstone(found);
      return isSame && Buffer.compare(found.deriveSeed, record.deriveSeed) === 0 ? "restored" : "kept";
    });
  }

  async removeTombstones(deletedBefore: Date, limit: number): Promise<number> {
    this.#gate.check();
    const old = [...this.#tables.keys].filter(([, entry]) => isTombstone(entry) && entry.deleteTime < deletedBefore);
    for (const [name] of old.slice(0, limit)) this.#tables.keys.delete(name);
    return Math.min(old.length, limit);
  }

  async acquireLease(name: string, holder: string, ttlMs: number): Promise<boolean> {
    this.#gate.check();
    const nowMs = this.#clock().getTime();
    const lease = this.#tables.leases.get(name);
    if (lease !== undefined && lease.holder !== holder && lease.endMs > nowMs) return false;
    this.#tables.leases.set(name, { holder, endMs: nowMs + ttlMs });
    return true;
  }

  async claim(name: string, value: Uint8Array): Promise<Uint8Array> {
    this.#gate.check();
    const claimed = this.#tables.claims.get(name) ?? new Uint8Array(value);
    this.#tables.claims.set(name, claimed);
    return new Uint8Array(claimed);
  }

  async ping(): Promise<void> {
    this.#gate.check();
  }

  async close(): Promise<void> {
    await this.#gate.close();
  }

  #find(id: KeyId): KeyRecord | undefined {
    this.#gate.check();
    const found = this.#tables.keys.get(entryName(id));
    return found === undefined || isTombstone(found) ? undefined : found;
  }

  #put(record: KeyRecord): KeyRecord {
    this.#tables.keys.set(entryName(record), record);
    return record;
  }

  #records(): KeyRecord[] {
    this.#gate.check();
    return [...this.#tables.keys.values()].filter((entry): entry is KeyRecord => !isTombstone(entry));
  }
}

export function createTables(): MemoryTables {
  return { keys: new Map(), leases: new Map(), claims: new Map() };
}

/** Where a record stands in `MemoryTables.keys`. */
export function entryName({ tenantId, keyId }: KeyId): string {
  return JSON.stringify([tenantId, keyId]);
}

export function isTombstone(entry: Entry): entry is Tombstone {
  return "deleted" in entry;
}

function compareListed(a: Pick<KeyRecord, "createTime" | "keyId">, b: Pick<KeyRecord, "createTime" | "keyId">): number {
  return b.createTime.getTime() - a.createTime.getTime() || compareCodePoints(a.keyId, b.keyId);
}

/** What a caller does to its own objects later must not change what is stored. */
function copyRecord(record: KeyRecord): KeyRecord {
  return copyValue(record) as KeyRecord;
}

function copyValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(copyValue);
  // Defined, not assigned: metadata may have a field "__proto__".
  const copy = {};
  for (const [name, item] of Object.entries(value)) {
    Object.defineProperty(copy, name, {
      value: copyValue(item),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}
