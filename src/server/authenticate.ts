import { hash, timingSafeEqual } from "node:crypto";
import { Permission } from "../../gen/latchkey/v2alpha1/options_pb.js";

export type Role = "verifier" | "reader" | "admin";

/** Who makes a call. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}

/** A bearer token that is accepted. Only its hash is in memory. */
export interface AcceptedToken extends Caller {
  /** SHA-256 of the token. */
  readonly sha256: Uint8Array;
}

/** Finds the caller in an Authorization header; `undefined` when it names nobody that is known. */
export type Authenticate = (authorization: string | undefined) => Caller | undefined;

const PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  verifier: [Permission.VERIFY],
  reader: [Permission.VERIFY, Permission.READ],
  admin: [Permission.VERIFY, Permission.READ, Permission.WRITE],
};

const SHA256_BYTES = 32;

/** `Bearer <token>` (RFC 6750 section 2.1); the scheme's case does not matter. */
const BEARER = /^bearer +([A-Za-z0-9._~+/=-]+) *$/i;

/** Accepts these tokens. Every one of them is compared, in constant time, so that the time tells nothing of any. */
export function createTokenAuthenticator(tokens: readonly AcceptedToken[]): Authenticate {
  const accepted = tokens.map(({ name, role, sha256 }) => ({ sha256, caller: { name, role } }));
  const presented = Buffer.alloc(SHA256_BYTES);
  return (authorization) => {
    const [, token] = BEARER.exec(authorization ?? "") ?? [];
    if (token === undefined) return undefined;
    presented.write(hash("sha256", token, "binary"), "binary"); // in place, as it is done for every call
    let found: Caller | undefined;
    for (const { sha256, caller } of accepted) if (timingSafeEqual(presented, sha256)) found = caller;
    return found;
  };
}

/** Lets everybody in as an admin: for `admin.auth: none`. */
export function createOpenAuthenticator(): Authenticate {
  const anyone: Caller = { name: "anyone", role: "admin" };
  return () => anyone;
}

export function mayCall(caller: Caller, permission: Permission): boolean {
  return PERMISSIONS[caller.role].includes(permission);
}
