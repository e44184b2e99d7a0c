import { hashSecret, isSameSecretHash } from "../credentials/issued-key.js";
import { invalidArgument, ServiceError } from "../errors.js";
import type { KeyRecord } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { isAddressAllowed } from "./ip-allowlist.js";
import { type KeyStatus, keyStatus } from "./key-status.js";
import { findKey } from "./load-key.js";

const MAX_CREDENTIAL_BYTES = 16_384;

export interface VerifyKeyInput {
  readonly tenantId: string;
  readonly credential: string;
  /** Where the credential was presented from; `undefined`: unknown, which no restricted key accepts. */
  readonly clientAddress: string | undefined;
}

export type VerificationFailure = "invalid_format" | "not_found" | "revoked" | "expired" | "ip_not_allowed";

/** The key behind a credential whose secret was right, and what it is worth now. */
export interface VerifiedKey {
  readonly record: KeyRecord;
  readonly status: KeyStatus;
}

/** A refusal carries the key only when the secret was right: then the caller may be told which key it is. */
export type Verification =
  | { readonly valid: true; readonly key: VerifiedKey }
  | { readonly valid: false; readonly failure: VerificationFailure; readonly key?: VerifiedKey };

/**
 * Says what a credential is worth now. A bad credential is an answer; an unknown key and a wrong secret are the same
 * answer. Throws CREDENTIAL_REQUIRED, INVALID_ARGUMENT, and UNAVAILABLE when the store cannot be read.
 */
export async function verifyKey(context: DomainContext, input: VerifyKeyInput): Promise<Verification> {
  const { credential, tenantId } = input;
  if (credential === "") throw credentialRequired();
  if (Buffer.byteLength(credential) > MAX_CREDENTIAL_BYTES) {
    throw invalidArgument("credential", `must be at most ${MAX_CREDENTIAL_BYTES} bytes`);
  }

  const classified = context.classify(credential);
  switch (classified.kind) {
    case "issued":
      return verifyIssuedKey(context, tenantId, classified, input.clientAddress);
    case "imported":
      return { valid: false, failure: classified.mistyped ? "invalid_format" : "not_found" };
  }
}

async function verifyIssuedKey(
  context: DomainContext,
  tenantId: string,
  key: { readonly keyId: string; readonly secretHash: Uint8Array },
  clientAddress: string | undefined,
): Promise<Verification> {
  const record = await findKey(context.store, { tenantId, keyId: key.keyId });
  // A key that is not there is compared as well, so that the time tells nothing.
  const secretMatches = isSameSecretHash(key.secretHash, record?.secretHash ?? NO_SECRET_HASH);
  if (record?.secretHash === undefined || !secretMatches) return { valid: false, failure: "not_found" };
  return judgeKey(record, context.clock(), clientAddress);
}

/** What a key is worth to somebody who holds its secret. */
function judgeKey(record: KeyRecord, now: Date, clientAddress: string | undefined): Verification {
  const key = { record, status: keyStatus(record, now) };
  if (key.status !== "active") return { valid: false, failure: key.status, key };
  if (!isAddressAllowed(record.allowedCidrs, clientAddress)) return { valid: false, failure: "ip_not_allowed", key };
  return { valid: true, key };
}

function credentialRequired(): ServiceError {
  return new ServiceError("CREDENTIAL_REQUIRED", "credential: is required", {
    fields: [{ field: "credential", description: "is required" }],
  });
}

/** The hash of a secret that no key has: secrets are never empty. */
const NO_SECRET_HASH = hashSecret(new Uint8Array(0));
