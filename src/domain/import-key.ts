import { importedKeyId } from "../credentials/imported-key.js";
import { type FieldViolation, invalidArguments, ServiceError } from "../errors.js";
import type { InsertResult, KeyRecord, Visibility } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import {
  identifyRequest,
  isMadeBy,
  type RepeatableRequest,
  type RequestIdentity,
  refuseUnlessRepeated,
} from "./idempotency.js";
import {
  expiryFromTtl,
  findAttributeViolations,
  findTextViolations,
  findTtlViolations,
  isWellFormed,
  type KeyAttributes,
} from "./key-attributes.js";
import { concurrentChange, findKey } from "./load-key.js";
import { newRecord } from "./new-record.js";
import { runBatch } from "./run-batch.js";

const MAX_RAW_KEY_BYTES = 8_192;

export interface ImportKeyInput extends KeyAttributes, RequestIdentity {
  /** The credential as it is. It is hashed here, and goes no further. */
  readonly rawKey: string;
  readonly actorId: string;
  readonly visibility: Visibility;
  /** Absent or 0: the configured default. */
  readonly ttlMs?: number | undefined;
}

/** What became of one import. */
export type ImportOutcome = KeyRecord | ServiceError;

interface NewImport {
  readonly record: KeyRecord;
  readonly request: RepeatableRequest | undefined;
}

/** Imports a key. Throws INVALID_ARGUMENT, API_KEY_EXISTS, CONCURRENT_CHANGE, UNAVAILABLE. */
export async function importKey(context: DomainContext, input: ImportKeyInput): Promise<KeyRecord> {
  const created = createImport(context, input);
  return finishImport(context, created, await context.store.insert(created.record));
}

/** Imports several keys in one write, each by itself. In the order of `inputs`. Throws UNAVAILABLE: some may be there. */
export function importKeys(context: DomainContext, inputs: readonly ImportKeyInput[]): Promise<ImportOutcome[]> {
  return runBatch(
    inputs,
    (input) => createImport(context, input),
    async (imports) => {
      const results = await context.store.insertMany(imports.map(({ record }) => record));
      return Promise.all(imports.map((one, index) => finishOne(context, one, results[index])));
    },
  );
}

/** What is wrong with one key hinders no other; a store that does not answer does. */
async function finishOne(
  context: DomainContext,
  created: NewImport,
  result: InsertResult | undefined,
): Promise<ImportOutcome> {
  if (result === undefined) throw new Error("the store answered for fewer records than it got");
  try {
    return await finishImport(context, created, result);
  } catch (error) {
    if (error instanceof ServiceError && error.reason !== "UNAVAILABLE") return error;
    throw error;
  }
}

async function finishImport(
  context: DomainContext,
  { record, request }: NewImport,
  result: InsertResult,
): Promise<KeyRecord> {
  if (result.outcome === "inserted") return result.record;
  if (request !== undefined) {
    const existing = await findKey(context.store, record);
    if (existing === undefined) throw concurrentChange(); // deleted since: the caller may import it once more
    if (isMadeBy(existing, request)) {
      refuseUnlessRepeated(existing, request);
      return existing;
    }
  }
  throw new ServiceError("API_KEY_EXISTS", "a key with this raw key was imported before", {
    metadata: { key_id: record.keyId },
  });
}

/** Throws INVALID_ARGUMENT. */
function createImport(context: DomainContext, input: ImportKeyInput): NewImport {
  const violations = findImportViolations(context, input);
  if (violations.length > 0) throw invalidArguments(violations);
  const { rawKey, tenantId, caller: _, requestId: __, ...asked } = input;
  const now = context.clock();
  const keyId = importedKeyId(context.secrets.pepper, tenantId, rawKey);
  const request = identifyRequest(context, input, { operation: "import", request: [keyId, asked] });
  const key = {
    ...input,
    visibility: "secret" as const,
    createTime: now,
    expireTime: expiryFromTtl(input.ttlMs, context.keys, now),
  };
  const record: KeyRecord = {
    ...newRecord(context, key),
    keyId,
    kind: "imported",
    ...(request && { idempotency: request.idempotency }),
  };
  return { record, request };
}

function findImportViolations(context: DomainContext, input: ImportKeyInput): FieldViolation[] {
  return [
    ...findRawKeyViolations(context, input.rawKey),
    ...findTextViolations("actor_id", input.actorId),
    ...findAttributeViolations(input),
    ...(input.visibility === "public"
      ? [{ field: "visibility", description: "KEY_VISIBILITY_PUBLIC is for issued keys only" }]
      : []),
    ...findTtlViolations(input.ttlMs, context.keys),
  ];
}

/** What would be taken for a credential of our own could never be verified as an imported one. */
function findRawKeyViolations({ classify }: DomainContext, rawKey: string): FieldViolation[] {
  const field = "raw_key";
  if (rawKey === "") return [{ field, description: "is required" }];
  if (Buffer.byteLength(rawKey) > MAX_RAW_KEY_BYTES) {
    return [{ field, description: `must be at most ${MAX_RAW_KEY_BYTES} bytes` }];
  }
  if (!isWellFormed(rawKey)) return [{ field, description: "must be well-formed Unicode" }];
  if (classify(rawKey).kind === "imported") return [];
  return [{ field, description: "has the form of a token or of a key that this service issues" }];
}
