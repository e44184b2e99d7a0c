/** What a credential claims to be: it says which record decides over it. */
import { importedKeyId } from "../credentials/imported-key.js";
import { invalidArgument, ServiceError } from "../errors.js";
import { checkJwt, type MacaroonCandidate, readMacaroon, type TokenCandidate } from "./check-token.js";
import type { DomainContext } from "./context.js";
import { isWellFormed } from "./key-attributes.js";
import type { VerificationFailure } from "./verification.js";

const MAX_CREDENTIAL_BYTES = 16_384;

export type Candidate =
  | { readonly kind: "issued"; readonly keyId: string; readonly secretHash: Uint8Array }
  | { readonly kind: "imported"; readonly keyId: string; readonly mistyped: boolean }
  | TokenCandidate
  | MacaroonCandidate
  /** Whatever is stored. */
  | { readonly kind: "refused"; readonly keyId?: undefined; readonly failure: VerificationFailure };

/** Throws CREDENTIAL_REQUIRED and INVALID_ARGUMENT for what cannot be a credential. */
export function refuseUnlessCredential(credential: string): void {
  if (credential === "") throw credentialRequired();
  if (!isWellFormed(credential)) throw invalidArgument("credential", "must be well-formed Unicode");
  if (Buffer.byteLength(credential) > MAX_CREDENTIAL_BYTES) {
    throw invalidArgument("credential", `must be at most ${MAX_CREDENTIAL_BYTES} bytes`);
  }
}

/** Tells what a credential is; what can be checked without the store is checked. */
export function identify(context: DomainContext, tenantId: string, credential: string): Candidate {
  const classified = context.classify(credential);
  switch (classified.kind) {
    case "issued":
      return classified;
    case "imported": {
      const { rawKey, mistyped } = classified;
      return { kind: "imported", keyId: importedKeyId(context.secrets.pepper, tenantId, rawKey), mistyped };
    }
    case "jwt":
      return checkJwt(context, credential, classified.digest);
    case "macaroon":
      return readMacaroon(context, credential, classified.digest);
  }
}

function credentialRequired(): ServiceError {
  return new ServiceError("CREDENTIAL_REQUIRED", "credential: is required", {
    fields: [{ field: "credential", description: "is required" }],
  });
}
