import { hashSecret, isSameSecretHash } from "../credentials/issued-key.js";
import type { ServiceError } from "../errors.js";
import type { Freshness, KeyRecord } from "../store/key-store.js";
import { judgeMacaroon, judgeToken } from "./check-token.js";
import type { DomainContext } from "./context.js";
import { type Candidate, identify, refuseUnlessCredential } from "./identify.js";
import { isAddressAllowed } from "./ip-allowlist.js";
import { keyStatus } from "./key-status.js";
import { findKeyForVerification, settlePending } from "./load-key.js";
import { runBatch } from "./run-batch.js";
import type { Verification } from "./verification.js";

export interface VerifyKeyInput {
  readonly tenantId: string;
  readonly credential: string;
  /** Where the credential was presented from; `undefined`: unknown, which no restricted key accepts. */
  readonly clientAddress: string | undefined;
}

/**
 * Says what a credential is worth now. A bad credential is an answer; an unknown key and a wrong secret are the same
 * answer. Throws CREDENTIAL_REQUIRED, INVALID_ARGUMENT, and UNAVAILABLE when the store cannot be read.
 *
 * The key itself may be as it was a little before, unless `freshness` says otherwise; the clock and the client's address are
 * asked every time. A good credential counts as a use of its key, a token as one of the key that it comes from.
 */
export async function verifyKey(
  context: DomainContext,
  input: VerifyKeyInput,
  freshness: Freshness = "cached",
): Promise<Verification> {
  return noteUse(context, await checkCredential(context, input, freshness));
}

/** The same, but no use of the key. */
export async function checkCredential(
  context: DomainContext,
  input: VerifyKeyInput,
  freshness: Freshness,
): Promise<Verification> {
  refuseUnlessCredential(input.credential);
  const { tenantId } = input;
  const candidate = identify(context, tenantId, input.credential);
  const { keyId } = candidate;
  const id = keyId === undefined ? undefined : { tenantId, keyId };
  const record = id && (await findKeyForVerification(context.store, id, freshness));
  return judge(context, candidate, record, input);
}

/**
 * The same for several credentials of one tenant, in their order, with one read of the store for all of them. What is no
 * credential is refused in its place. Throws UNAVAILABLE.
 */
export function verifyKeys(
  context: DomainContext,
  tenantId: string,
  inputs: readonly VerifyKeyInput[],
  freshness: Freshness = "cached",
): Promise<(Verification | ServiceError)[]> {
  return runBatch(inputs, refuseUnlessPresented, async (presented) => {
    const identified = presented.map((input) => ({ input, candidate: identify(context, tenantId, input.credential) }));
    const keyIds = [...new Set(identified.flatMap(({ candidate }) => candidate.keyId ?? []))];
    const read = await context.store.readManyForVerification(tenantId, keyIds, freshness);
    const found = await Promise.all(read.map((record) => record && settlePending(context.store, record)));
    const records = new Map(keyIds.map((keyId, index) => [keyId, found[index]]));
    return identified.map(({ input, candidate }) =>
      noteUse(context, judge(context, candidate, records.get(candidate.keyId ?? ""), input)),
    );
  });
}

function noteUse({ keyUses, clock }: DomainContext, verification: Verification): Verification {
  if (verification.valid && verification.record !== undefined) keyUses.note(verification.record, clock());
  return verification;
}

function refuseUnlessPresented(input: VerifyKeyInput): VerifyKeyInput {
  refuseUnlessCredential(input.credential);
  return input;
}

/** What a candidate is worth, once the record that it names has been read. */
function judge(
  context: DomainContext,
  candidate: Candidate,
  record: KeyRecord | undefined,
  input: VerifyKeyInput,
): Verification {
  switch (candidate.kind) {
    case "issued": {
      // A key that is not there is compared as well, so that the time tells nothing.
      const secretMatches = isSameSecretHash(candidate.secretHash, record?.secretHash ?? NO_SECRET_HASH);
      if (record?.secretHash === undefined || !secretMatches) return { valid: false, failure: "not_found" };
      return judgeKey(record, context.clock(), input.clientAddress);
    }
    case "imported":
      if (record !== undefined) return judgeKey(record, context.clock(), input.clientAddress);
      return { valid: false, failure: candidate.mistyped ? "invalid_format" : "not_found" };
    case "token":
      return judgeToken(context, candidate.claims, record, input);
    case "macaroon":
      return judgeMacaroon(context, candidate, record, input);
    case "refused":
      return { valid: false, failure: candidate.failure };
  }
}

/** What a key is worth to somebody who holds its secret. */
function judgeKey(record: KeyRecord, now: Date, clientAddress: string | undefined): Verification {
  const status = keyStatus(record, now);
  if (status !== "active") return { valid: false, failure: status, key: { record, status } };
  if (!isAddressAllowed(record.allowedCidrs, clientAddress)) {
    return { valid: false, failure: "ip_not_allowed", key: { record, status } };
  }
  return { valid: true, record };
}

/** The hash of a secret that no key has: secrets are never empty. */
const NO_SECRET_HASH = hashSecret(new Uint8Array(0));
