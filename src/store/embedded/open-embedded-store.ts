import { ServiceError } from "../../errors.js";
import { CallGate } from "../call-gate.js";
import type {
  InsertResult,
  KeyChange,
  KeyId,
  KeyRecord,
  KeyStore,
  KeyUse,
  ListQuery,
  ListSlice,
  RestoreResult,
  ScanSlice,
} from "../key-store.js";
import { withinTime } from "../within-time.js";
import { applyChange } from "./apply-change.js";
import { DecodedRecords } from "./decoded-records.js";
import { type Environment, openEnvironment } from "./environment.js";
import { recordKey } from "./index-keys.js";
import {
  addRecord,
  buryRecord,
  getRecord,
  listAheadRecords,
  listDueRecords,
  listPendingRecords,
  listRecords,
  listSealedRecords,
  prepareRecord,
  prepareRecords,
  prepareRestored,
  recordUse,
  removeOldTombstones,
  replaceRecord,
  restoreRecord,
  scanRecords,
} from "./key-table.js";
import { decodeRecord } from "./stored-entry.js";
import { takeClaim } from "./take-claim.js";
import { takeLease } from "./take-lease.js";
import { unavailable } from "./unavailable.js";

/** A frozen process that holds the write lock, or a dead disk, must not hold callers for ever. */
const DEFAULT_WRITE_TIMEOUT_MS = 10_000;

const USES_AT_ONCE = 100;

/** How long a process that died may keep the file growing. */
const DEAD_READERS_INTERVAL_MS = 10_000;

const PING_KEY = Buffer.from("ping");

export interface EmbeddedStoreOptions {
  /** Created with mode 0700 when it is missing. Several processes may open the same one, on one machine. */
  readonly directory: string;
  /** Whether one of an earlier format is brought up to date; else that is an error. Default: it is. A new one is made either way. */
  readonly upgrade?: boolean;
  /** Longest time to wait until a write is durable. */
  readonly writeTimeoutMs?: number;
  /** The time of deletes and leases, and between looks for dead readers. */
  readonly now?: () => Date;
}

/** Rejects with an error that names the directory when it cannot be written, is damaged or is of another release. */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<KeyStore> {
  const { directory, upgrade = true, writeTimeoutMs = DEFAULT_WRITE_TIMEOUT_MS, now = () => new Date() } = options;
  return new EmbeddedStore(openEnvironment(directory, upgrade), writeTimeoutMs, now);
}

class EmbeddedStore implements KeyStore {
  readonly #tables: Environment;
  readonly #writeTimeoutMs: number;
  readonly #now: () => Date;
  readonly #gate = new CallGate();
  readonly #decoded = new DecodedRecords();
  /** When dead readers were last cleared: LMDB does it at each open. */
  #clearedMs: number;

  constructor(tables: Environment, writeTimeoutMs: number, now: () => Date) {
    this.#tables = tables;
    this.#writeTimeoutMs = writeTimeoutMs;
    this.#now = now;
    this.#clearedMs = now().getTime();
  }

  async insert(record: KeyRecord): Promise<InsertResult> {
    const added = prepareRecord(this.#tables, record);
    return insertResult(await this.#change((tables) => addRecord(tables, added)));
  }

  /** One transaction: all of it is durable, or nothing of it happened. */
  async insertMany(records: readonly KeyRecord[]): Promise<InsertResult[]> {
    const added = prepareRecords(this.#tables, records);
    const texts = await this.#change((tables) => added.map((one) => addRecord(tables, one)));
    return texts.map(insertResult);
  }

  async read(id: KeyId): Promise<KeyRecord | undefined> {
    return this.#read((tables) => this.#decoded.read(id, (key) => tables.records.get(key)));
  }

  async readMany(tenantId: string, keyIds: readonly string[]): Promise<(KeyRecord | undefined)[]> {
    return this.#read((tables) =>
      keyIds.map((keyId) => this.#decoded.read({ tenantId, keyId }, (key) => tables.records.get(key))),
    );
  }

  /** A read costs microseconds: nothing is remembered that could be out of date. */
  readForVerification(id: KeyId): Promise<KeyRecord | undefined> {
    return this.read(id);
  }

  readManyForVerification(tenantId: string, keyIds: readonly string[]): Promise<(KeyRecord | undefined)[]> {
    return this.readMany(tenantId, keyIds);
  }

  async compareAndSet(id: KeyId, version: number, change: KeyChange): Promise<KeyRecord | undefined> {
    return this.#changeAt(id, version, (tables, key, record) =>
      replaceRecord(tables, key, record, applyChange(record, change)),
    );
  }

  /** Few at a time: a change keeps every other call of this process waiting. */
  async recordUses(uses: readonly KeyUse[]): Promise<void> {
    for (let start = 0; start < uses.length; start += USES_AT_ONCE) {
      const some = uses.slice(start, start + USES_AT_ONCE);
      await this.#change((tables) => {
        for (const use of some) recordUse(tables, use);
      });
    }
  }

  async delete(id: KeyId, version: number): Promise<boolean> {
    const deleted = await this.#changeAt(id, version, (tables, key, record) => {
      buryRecord(tables, key, record, this.#now());
      return true;
    });
    return deleted ?? false;
  }

  async list(query: ListQuery): Promise<ListSlice> {
    return this.#read((tables) => listRecords(tables, query));
  }

  async listDue(before: Date, limit: number): Promise<KeyRecord[]> {
    return this.#read((tables) => listDueRecords(tables, before, limit));
  }

  async listAhead(after: Date, limit: number): Promise<KeyRecord[]> {
    return this.#read((tables) => listAheadRecords(tables, after, limit));
  }

  async listPending(createdBefore: Date, limit: number): Promise<KeyRecord[]> {
    return this.#read((tables) => listPendingRecords(tables, createdBefore, limit));
  }

  async listSealed(expiredBefore: Date, limit: number): Promise<KeyRecord[]> {
    return this.#read((tables) => listSealedRecords(tables, expiredBefore, limit));
  }

  async scan(after: KeyId | undefined, limit: number): Promise<ScanSlice> {
    return this.#read((tables) => scanRecords(tables, after, limit));
  }

  async restoreMany(records: readonly KeyRecord[]): Promise<RestoreResult[]> {
    const restored = prepareRestored(this.#tables, records);
    return this.#change((tables) => restored.map((one) => restoreRecord(tables, one)));
  }

  async removeTombstones(deletedBefore: Date, limit: number): Promise<number> {
    return this.#change((tables) => removeOldTombstones(tables, deletedBefore, limit));
  }

  async acquireLease(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.#change((tables) => takeLease(tables, name, holder, ttlMs, this.#now()));
  }

  async claim(name: string, value: Uint8Array): Promise<Uint8Array> {
    return this.#change((tables) => takeClaim(tables, name, value));
  }

  async ping(): Promise<void> {
    this.#read((tables) => tables.records.get(PING_KEY));
  }

  async close(): Promise<void> {
    await this.#gate.close();
    await this.#inTime(this.#tables.close());
  }

  #read<T>(read: (tables: Environment) => T): T {
    this.#gate.check();
    try {
      return this.#tables.latest(() => read(this.#tables));
    } catch (error) {
      throw unavailable(error);
    }
  }

  async #change<T>(change: (tables: Environment) => T): Promise<T> {
    return this.#gate.pass(async () => {
      try {
        this.#clearDeadReaders();
        return await this.#inTime(this.#tables.change(() => change(this.#tables)));
      } catch (error) {
        throw unavailable(error);
      }
    });
  }

  /** Before a change, also one that a full disk will refuse: only changes make the file grow, and this gives them room. */
  #clearDeadReaders(): void {
    const nowMs = this.#now().getTime();
    // A clock that was set back must not put it off.
    if (Math.abs(nowMs - this.#clearedMs) < DEAD_READERS_INTERVAL_MS) return;
    this.#clearedMs = nowMs;
    this.#tables.clearDeadReaders();
  }

  /** Runs `change` on the record if it is at `version`. `undefined`: no match. */
  async #changeAt<T>(
    id: KeyId,
    version: number,
    change: (tables: Environment, key: Uint8Array, record: KeyRecord) => T,
  ): Promise<T | undefined> {
    const key = recordKey(id);
    if (key === undefined) {
      this.#gate.check();
      return undefined;
    }
    return this.#change((tables) => {
      const record = getRecord(tables, key);
      return record?.version === version ? change(tables, key, record) : undefined;
    });
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    const onTimeout = () => new ServiceError("UNAVAILABLE", "the key store did not confirm a write in time");
    return withinTime(work, this.#writeTimeoutMs, onTimeout);
  }
}

/** Of the entry that an insert stored; `undefined`: there was a record. */
function insertResult(text: string | undefined): InsertResult {
  return text === undefined ? { outcome: "exists" } : { outcome: "inserted", record: decodeRecord(text) };
}
