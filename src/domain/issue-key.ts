import { formatIssuedKey, hashSecret, SECRET_BYTES } from "../credentials/issued-key.js";
import { createUuidV7, UUID_BYTES } from "../credentials/uuid.js";
import type { FieldViolation } from "../errors.js";
import type { KeyRecord, Pending, Visibility } from "../store/key-store.js";
import type { DomainContext, KeySettings } from "./context.js";
import {
  identifyRequest,
  openForRetry,
  type RepeatableRequest,
  type RequestIdentity,
  refuseUnlessRepeated,
  sealForRetries,
} from "./idempotency.js";
import {
  expiryFromTtl,
  findAttributeViolations,
  findTextViolations,
  findTtlViolations,
  findVisibilityViolations,
  type KeyAttributes,
  refuseViolations,
} from "./key-attributes.js";
import { loadKey } from "./load-key.js";
import { type NewKey, newRecord } from "./new-record.js";

export interface IssueKeyInput extends KeyAttributes, RequestIdentity {
  readonly actorId: string;
  readonly visibility: Visibility;
  /** Absent or 0: the configured default. */
  readonly ttlMs?: number | undefined;
}

export interface IssuedKeyWithSecret {
  readonly record: KeyRecord;
  /** The credential. The only time it exists outside its owner's hands. `undefined`: a repetition that came too late for it. */
  readonly secret: string | undefined;
}

/** Issues a key, once for each request_id. Throws INVALID_ARGUMENT, UNAVAILABLE. */
export async function issueKey(context: DomainContext, input: IssueKeyInput): Promise<IssuedKeyWithSecret> {
  refuseViolations(findIssueViolations(input, context.keys));
  const now = context.clock();
  const { tenantId: _, caller: __, requestId: ___, ...asked } = input;
  const request = identifyRequest(context, input, { operation: "issue", request: asked });
  const { record, secret } = createIssuedKey(context, {
    ...input,
    createTime: now,
    expireTime: expiryFromTtl(input.ttlMs, context.keys, now),
    request,
  });
  const result = await context.store.insert(record);
  if (result.outcome === "inserted") return { record: result.record, secret };
  return repeatIssued(context, request, await loadKey(context.store, record));
}

/** What was answered to the first of these requests. */
export function repeatIssued(
  context: DomainContext,
  request: RepeatableRequest | undefined,
  record: KeyRecord,
): IssuedKeyWithSecret {
  if (request === undefined) throw new Error(`key id ${record.keyId} was drawn twice`);
  refuseUnlessRepeated(record, request);
  return { record, secret: openForRetry(context, request, record) };
}

export interface NewIssuedKey extends NewKey {
  readonly pending?: Pending;
  /** What it is made for, when that may come again: its id is made from that. */
  readonly request?: RepeatableRequest | undefined;
}

/** Makes a key with a new id and secret; stores nothing. The attributes must be without violations. */
export function createIssuedKey(
  context: DomainContext,
  key: NewIssuedKey,
): { readonly record: KeyRecord; readonly secret: string } {
  const { keys, randomBytes } = context;
  const { request } = key;
  const keyId = request?.keyId ?? createUuidV7(key.createTime.getTime(), randomBytes(UUID_BYTES));
  const secretBytes = randomBytes(SECRET_BYTES);
  const prefix = key.visibility === "public" ? (keys.publicPrefix ?? keys.prefix) : keys.prefix;
  const secret = formatIssuedKey({ prefix, keyId, secret: secretBytes });
  const record: KeyRecord = {
    ...newRecord(context, key),
    keyId,
    kind: "issued",
    secretHash: hashSecret(secretBytes),
    ...(key.pending && { pending: key.pending }),
    ...(request && {
      idempotency: request.idempotency,
      sealedSecret: sealForRetries(context, request, keyId, secret, key.createTime),
    }),
  };
  return { record, secret };
}

function findIssueViolations(input: IssueKeyInput, keys: KeySettings): FieldViolation[] {
  return [
    ...findTextViolations("actor_id", input.actorId),
    ...findAttributeViolations(input),
    ...findVisibilityViolations(input.visibility, keys),
    ...findTtlViolations(input.ttlMs, keys),
  ];
}
