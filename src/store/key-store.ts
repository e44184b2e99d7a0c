import type { CheckedFilter } from "../query/checked-filter.js";

/**
 * The store contract. Both stores keep it, and `test/store/conformance.ts` holds them to it.
 *
 * It promises single-record atomicity and nothing more, so that any MongoDB deployment can keep it:
 *
 * - A record is named by tenant and key id. Its `version` starts at 1 and grows by 1 with every change.
 * - `insert` creates a record, or fails because there is one. It never overwrites, except for a tombstone: then the
 *   new record continues the tombstone's version, so that no version of a key id is ever used twice. `insertMany` is as
 *   many inserts, and no more than that: other callers may see some of them first.
 * - `compareAndSet` changes named fields of an existing record, if it is still at the version that was read. It never
 *   creates a record. `undefined` is a definite "no match": the record is at another version, deleted or was never
 *   there.
 * - `delete` turns a record at a version into a bare tombstone (key id, version, time of the change) that is invisible
 *   to every read and list, until `removeTombstones` collects it. That is a change like any other: the tombstone has the
 *   next version. Once it is collected nothing is left, and versions start at 1 again.
 * - A write is durable when its promise resolves. When a method *throws* UNAVAILABLE, the write may have happened or
 *   not: the caller reads again. Of an `insertMany` any part may have happened.
 * - Reads see every write that was acknowledged before they began, by any process (MongoDB: majority reads of the
 *   primary).
 * - Lists are in (create time descending, key id ascending) order. A walk by cursor sees every record that was there
 *   during the whole walk exactly once, whatever else is created, changed or deleted meanwhile. Page N costs what
 *   page 1 costs, also of one actor's keys, of those listed under one status, and of both.
 * - Pending and expired records are records like any other: what they mean is the domain's business. So is the status that
 *   a record is listed under: a store knows no clock that could say another one.
 * - What was written is read back exactly: any well-formed text, metadata with any keys at any depth. Any other text as an
 *   id is no error to read: nothing is stored under it. Nobody changes a record that was answered: it may be shared.
 *
 * - Verifications may be answered with what was read before (`readForVerification`), nothing else is. A record that is answered
 *   so was the stored one, wholly, at some time after the call began, or no longer before than the bound of the store: the
 *   embedded store reads each time; for MongoDB it is `cache.max_staleness`, and `cache.ttl` where even that cannot be kept
 *   (`src/store/mongo/polling-feed.ts` says where). This handle's own writes are seen at once. What is not there is never
 *   remembered, and a pending record neither.
 *
 * Every method throws `ServiceError("UNAVAILABLE")` when the store cannot be reached, is full or is read-only. No
 * driver error or message passes this interface, but as `cause`.
 */
export interface KeyStore {
  /**
   * Creates the record at version 1, or at the version after a tombstone's. Ignores `record.version`. It may recognise what it
   * wrote itself by `deriveSeed`, so no two different records may share that.
   */
  insert(record: KeyRecord): Promise<InsertResult>;

  /**
   * Inserts each record as `insert` would, in bulk; the results are in the order of the records. A record that is there,
   * or whose id an earlier one of this call has, is `exists` and hinders no other.
   */
  insertMany(records: readonly KeyRecord[]): Promise<InsertResult[]>;

  /** Reads one record; `undefined` when there is none, or only a tombstone. */
  read(id: KeyId): Promise<KeyRecord | undefined>;

  /** Reads several of one tenant's records in one go. In the order of `keyIds`; `undefined` where there is none. */
  readMany(tenantId: string, keyIds: readonly string[]): Promise<(KeyRecord | undefined)[]>;

  /** As `read`, for a verification: within the bound above, the answer may be one that was read before. */
  readForVerification(id: KeyId, freshness?: Freshness): Promise<KeyRecord | undefined>;

  /** As `readMany`, likewise. */
  readManyForVerification(
    tenantId: string,
    keyIds: readonly string[],
    freshness?: Freshness,
  ): Promise<(KeyRecord | undefined)[]>;

  /** Changes the named fields of the record at `version`, maybe none. Answers the record as it is afterwards. */
  compareAndSet(id: KeyId, version: number, change: KeyChange): Promise<KeyRecord | undefined>;

  /**
   * Sets the last used time of each record that is there to the time of its use, unless it has a later one or was created
   * later. No change in the sense of this contract: no new version, and nobody else's write fails for it. When it throws, any
   * part may have happened.
   */
  recordUses(uses: readonly KeyUse[]): Promise<void>;

  /** Turns the record at `version` into a tombstone. `false` is a definite "no match". */
  delete(id: KeyId, version: number): Promise<boolean>;

  /** A slice of a list, after the cursor. */
  list(query: ListQuery): Promise<ListSlice>;

  /** Records listed under a status until a time before `before`, any tenant, oldest such time first, at most `limit`. */
  listDue(before: Date, limit: number): Promise<KeyRecord[]>;

  /** Records listed under a status since a time after `after`, any tenant, latest such time first, at most `limit`. */
  listAhead(after: Date, limit: number): Promise<KeyRecord[]>;

  /** Records with `pending` set that were created before `createdBefore`, any tenant, oldest first, at most `limit`. */
  listPending(createdBefore: Date, limit: number): Promise<KeyRecord[]>;

  /**
   * Records with a `sealedSecret` that expires before `expiredBefore`, any tenant, oldest expiry first, at most `limit`.
   */
  listSealed(expiredBefore: Date, limit: number): Promise<KeyRecord[]>;

  /**
   * Looks at no more than `limit` names after `after`, absent: from the first, in an order of the store's own: records of any
   * tenant and kind. A walk that goes on after each `end` sees every record that was there during the whole walk exactly once.
   */
  scan(after: KeyId | undefined, limit: number): Promise<ScanSlice>;

  /**
   * Writes each record as it is, its version included, where there is nothing or something of an older version, a tombstone too;
   * never over something of the same version or a newer one. Safe to do again. It is for stores that no service changes meanwhile.
   * The results are in the order of the records. When it throws, any part may have happened.
   */
  restoreMany(records: readonly KeyRecord[]): Promise<RestoreResult[]>;

  /** Removes tombstones made before `deletedBefore`, at most `limit`; answers how many went. */
  removeTombstones(deletedBefore: Date, limit: number): Promise<number>;

  /**
   * Takes or renews the named lease for `holder` until `ttlMs` from now, by the store's clock where it has one.
   * `false`: another holder has it. A lease saves work, it protects nothing: what its holder does must be safe to do twice.
   */
  acquireLease(name: string, holder: string, ttlMs: number): Promise<boolean>;

  /**
   * What is stored under `name`, which is `value` when nothing was. The first claim decides for good: every caller gets the
   * same bytes, in any process and at any time.
   */
  claim(name: string, value: Uint8Array): Promise<Uint8Array>;

  /** Resolves when the store can be read now. */
  ping(): Promise<void>;

  /** Waits for writes under way and lets go of everything. Afterwards every other method throws UNAVAILABLE. */
  close(): Promise<void>;
}

/**
 * What an answer to a verification may rest on.
 *
 * - `cached`, the default: on what was read before, within the bound.
 * - `fresh`: on a read that begins after the call. What it finds replaces what was remembered.
 * - `unstored`: likewise, and what it finds is not remembered.
 */
export type Freshness = "cached" | "fresh" | "unstored";

export type InsertResult =
  | { readonly outcome: "inserted"; readonly record: KeyRecord }
  | { readonly outcome: "exists" };

/** `restored`: the record is there now, maybe since an earlier call. `kept`: something else of its version or a newer one is. */
export type RestoreResult = "restored" | "kept";

/** The name of a record. */
export interface KeyId {
  /** UUID text. */
  readonly tenantId: string;
  /** UUID text of an issued key, 64 hexadecimal characters of an imported one. */
  readonly keyId: string;
}

/** That a key was used, and when. */
export interface KeyUse extends KeyId {
  readonly time: Date;
}

export type KeyKind = "issued" | "imported";
export type KeyStatus = "active" | "revoked" | "expired";
export type Visibility = "secret" | "public";
export type RevocationReason =
  | "unspecified"
  | "key_compromise"
  | "affiliation_changed"
  | "superseded"
  | "privilege_withdrawn";
export type RateLimitUnit = "requests" | "content-bytes" | "concurrent-requests";

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

export interface RateLimitPolicy {
  /** Units per window, an int64 greater than 0. */
  readonly quota: bigint;
  readonly windowMs: number;
  readonly unit: RateLimitUnit;
}

/** A revocation holds from the moment it is stored, whatever any clock says; but for the grace period of a rotation. */
export interface Revocation {
  readonly reason: RevocationReason;
  readonly description?: string;
  /** Only of a rotated key that stays active for a while: from then on it is revoked. */
  readonly graceEnd?: Date;
}

/** Where lists by status have a key. The clock may have moved on since: what is read is asked again. */
export interface ListedStatus {
  readonly status: KeyStatus;
  /** When the status will change by itself. Absent: never. */
  readonly until?: Date;
  /** When it changed by itself. Absent: it did not. */
  readonly since?: Date;
}

/** What a rotation's new key waits for: it counts from the moment its predecessor names it. */
export interface Pending {
  /** Key id of the key that is being replaced. */
  readonly predecessor: string;
  /** The predecessor's version that the rotation read. */
  readonly version: number;
}

/** Of a key that was made by a request with a request id. Keyed hashes, so that the store tells neither to who reads it. */
export interface Idempotency {
  /** 32 bytes: of the request id. */
  readonly requestIdHash: Uint8Array;
  /** 32 bytes: of the request, so that another request with the same id is told apart. */
  readonly fingerprint: Uint8Array;
}

/** The secret of a new key, for retries of the request that made it. The store holds nothing that opens it. */
export interface SealedSecret {
  readonly box: Uint8Array;
  /** From then on it may be removed. */
  readonly expireTime: Date;
}

/** A key as it is stored. Dates have millisecond precision. An optional field that is not set is absent, never null. */
export interface KeyRecord extends KeyId {
  readonly kind: KeyKind;
  readonly version: number;

  readonly name: string;
  readonly actorId: string;
  readonly scopes: readonly string[];
  readonly visibility: Visibility;
  readonly metadata?: JsonObject;
  readonly rateLimitPolicy?: RateLimitPolicy;
  readonly allowedCidrs?: readonly string[];

  readonly createTime: Date;
  readonly updateTime: Date;
  readonly expireTime?: Date;
  readonly lastUsedTime?: Date;
  readonly revocation?: Revocation;
  readonly listed: ListedStatus;

  /** Issued keys: SHA-256 of the secret, 32 bytes. */
  readonly secretHash?: Uint8Array;
  /** 32 random bytes that go into the root key of the macaroons derived from this key. */
  readonly deriveSeed: Uint8Array;

  /** Key id of the key that replaced this one; set by the commit of a rotation and never changed after. */
  readonly successor?: string;
  /** Set while this key is the new key of a rotation that may not have committed. */
  readonly pending?: Pending;

  /** Never changes after creation. */
  readonly idempotency?: Idempotency;
  readonly sealedSecret?: SealedSecret;
}

/** What may change after creation. */
export type MutableField =
  | "name"
  | "scopes"
  | "metadata"
  | "rateLimitPolicy"
  | "allowedCidrs"
  | "updateTime"
  | "revocation"
  | "listed"
  | "successor"
  | "pending"
  | "sealedSecret";

/** Fields to set; `null` removes an optional field; a field that is not named stays as it is. */
export type KeyChange = {
  readonly [F in MutableField]?: undefined extends KeyRecord[F] ? KeyRecord[F] | null : KeyRecord[F];
};

/** Where a list goes on: after this record. */
export interface ListCursor {
  readonly createTime: Date;
  readonly keyId: string;
}

export interface ListQuery {
  readonly tenantId: string;
  readonly kind: KeyKind;
  /** Only this actor's keys. */
  readonly actorId?: string;
  /** Only keys listed under this status. */
  readonly status?: KeyStatus;
  /** Only keys created at this time or later. */
  readonly createdFrom?: Date;
  /** What does not match it may be left out, by a store that can tell: the caller asks again. */
  readonly filter?: CheckedFilter;
  /** Absent: from the newest. */
  readonly after?: ListCursor;
  /** At most so many records are answered. At least 1. */
  readonly limit: number;
  /** At most so many are looked at, those left out included. At least `limit`, which it is when it is absent. */
  readonly scanLimit?: number;
}

export interface ListSlice {
  readonly records: readonly KeyRecord[];
  /** How many records were looked at, at most. */
  readonly scanned: number;
  /** Where the slice ends: the list may go on after it. Absent: it does not. */
  readonly end?: ListCursor;
}

export interface ScanSlice {
  /** Maybe none, also where the walk goes on. */
  readonly records: readonly KeyRecord[];
  /** The walk may go on after this name, of a record or of what is left of one. Absent: it does not. */
  readonly end?: KeyId;
}

/** The cursor after a record. */
export function cursorAfter({ createTime, keyId }: KeyRecord): ListCursor {
  return { createTime, keyId };
}

/** The slice that `records` are, when nothing between them was left out. */
export function wholeSlice(records: readonly KeyRecord[], limit: number): ListSlice {
  const last = records.at(-1);
  const goesOn = last !== undefined && records.length === limit;
  return { records, scanned: records.length, ...(goesOn && { end: cursorAfter(last) }) };
}
