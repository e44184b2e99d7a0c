import { deriveToken } from "./api.js";
import type { Service } from "./service.js";

/** What a signature of a token covers, in bytes. */
export interface SignedBytes {
  /** Header, dot and payload of a JWT. */
  readonly jwt: number;
  /** The claims in a macaroon's identifier. */
  readonly macaroon: number;
}

/** Measured on a token: both kinds carry the same claims. */
export async function signedBytesOf(service: Service, credential: string): Promise<SignedBytes> {
  const [header = "", payload = ""] = (await deriveToken(service, credential, "jwt")).split(".");
  return { jwt: header.length + 1 + payload.length, macaroon: Buffer.from(payload, "base64url").length };
}
