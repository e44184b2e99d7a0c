import { invalidArgument, ServiceError } from "../errors.js";
import type { RevocationReason } from "../store/key-store.js";
import type { DomainContext } from "./context.js";
import { refuseUnlessCredential } from "./identify.js";
import { refuseUnknownKey } from "./load-key.js";
import { revokeKey } from "./revoke-key.js";
import { checkCredential } from "./verify-key.js";

/**
 * By somebody who tries keys: there is no other public write. Only keys that others made can be guessed; who holds one that was
 * issued here is never kept from revoking it.
 */
export const SELF_REVOCATION_LIMITS = { windowMs: 60_000, perAddress: 10, overall: 1_000 };

export interface SelfRevokeKeyInput {
  readonly tenantId: string;
  readonly credential: string;
  readonly reason: RevocationReason;
  readonly clientAddress: string | undefined;
}

/**
 * Revokes the key that its holder shows, from wherever. Throws CREDENTIAL_REQUIRED, INVALID_ARGUMENT,
 * DERIVED_TOKEN_NOT_REVOCABLE, API_KEY_NOT_FOUND (unknown, wrong secret and foreign key alike), RATE_LIMITED,
 * CONCURRENT_CHANGE, UNAVAILABLE.
 */
export async function selfRevokeKey(context: DomainContext, input: SelfRevokeKeyInput): Promise<void> {
  const { credential, reason, tenantId, clientAddress } = input;
  refuseUnlessCredential(credential);
  if (reason === "privilege_withdrawn") {
    throw invalidArgument("reason", "REVOCATION_REASON_PRIVILEGE_WITHDRAWN is for operators");
  }
  const { kind } = context.classify(credential);
  if (kind === "jwt" || kind === "macaroon") {
    throw new ServiceError("DERIVED_TOKEN_NOT_REVOCABLE", "derived tokens cannot be revoked; revoke their key");
  }
  const isGuess = kind === "imported";
  if (isGuess) refuseWhenTooMany(context, clientAddress);

  const verification = await checkCredential(context, { tenantId, credential, clientAddress }, "fresh");
  // Attempts at the same time passed the first check together: once enough of them failed, the others learn nothing.
  if (isGuess) refuseWhenTooMany(context, clientAddress);
  const record = verification.valid ? verification.record : verification.key?.record;
  if (record === undefined) {
    context.selfRevocationFailures.count(clientAddress, context.clock());
    refuseUnknownKey();
  }
  await revokeKey(context, { tenantId, keyId: record.keyId, reason, description: "" });
}

function refuseWhenTooMany({ selfRevocationFailures, clock }: DomainContext, clientAddress: string | undefined): void {
  const seconds = selfRevocationFailures.secondsToWait(clientAddress, clock());
  if (seconds === 0) return;
  throw new ServiceError("RATE_LIMITED", `too many attempts failed; try again in ${seconds} s`, {
    metadata: { retry_after_seconds: String(seconds) },
  });
}
