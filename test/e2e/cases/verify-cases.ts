import { expect } from "@jest/globals";
import { base58 } from "@scure/base";
import { formatIssuedKey } from "../../../src/credentials/issued-key.js";
import { uuidFromBytes } from "../../../src/credentials/uuid.js";
import { type Api, invalid, refused } from "../api.js";
import type { JsonObject } from "../clients/api-client.js";
import { eventually } from "../eventually.js";
import type { Case } from "./case.js";
import { notActive } from "./rotate-cases.js";

const KEY_ID_BYTES = 16;
const SECRET_END = 48;
const MAX_CREDENTIAL_BYTES = 16_384;

/** What a refused credential is told. */
export function refusedVerification(errorCode: string, message: string, key: JsonObject = {}): JsonObject {
  return {
    is_valid: false,
    error_code: `VERIFICATION_ERROR_${errorCode}`,
    error_message: message,
    key_id: "",
    actor_id: "",
    scopes: [],
    status: "KEY_STATUS_UNSPECIFIED",
    visibility: "KEY_VISIBILITY_UNSPECIFIED",
    issuer: "",
    ...key,
  };
}

export const UNKNOWN = refusedVerification("NOT_FOUND", "the credential is unknown");
const MISTYPED = refusedVerification("INVALID_FORMAT", "the credential is mistyped or truncated");

export const verifyCases: readonly Case[] = [
  {
    name: "tells what a good key is worth",
    run: async ({ api, actorId }) => {
      const { issued_api_key: bare, secret: bareSecret } = await api.issue({ actor_id: actorId });
      const good = {
        is_valid: true,
        error_code: "VERIFICATION_ERROR_UNSPECIFIED",
        error_message: "",
        key_id: bare.key_id,
        actor_id: actorId,
        scopes: [],
        status: "KEY_STATUS_ACTIVE",
        visibility: "KEY_VISIBILITY_SECRET",
        issuer: "",
      };
      expect(await api.verify(bareSecret)).toEqual(good);

      const fields = {
        scopes: ["a", "b"],
        metadata: { team: "blue" },
        rate_limit_policy: { quota: "10", window: "60s", unit: "requests" },
      };
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId, ...fields, ttl: "60s" });
      expect(await api.verify(secret)).toEqual({
        ...good,
        ...fields,
        key_id: key.key_id,
        expire_time: key.expire_time,
      });
    },
  },
  {
    name: "does not tell an unknown key from a wrong secret",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      expect(await api.verify(withOtherSecret(secret))).toEqual(UNKNOWN);
      expect(await api.verify(withOtherKeyId(secret))).toEqual(UNKNOWN);
      expect(await api.verify("somebody-else's-key")).toEqual(UNKNOWN);
      expect(await api.verify(`xx${secret}`)).toEqual(UNKNOWN);
    },
  },
  {
    name: "finds typing errors",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const last = secret.endsWith("z") ? "y" : "z";
      for (const wrong of [
        secret.slice(0, -1),
        secret.slice(0, -1) + last,
        `${secret}1`,
        "lk_v1_",
        `lk_v1_${"0".repeat(71)}`,
      ]) {
        expect(await api.verify(wrong)).toEqual(MISTYPED);
      }
    },
  },
  {
    name: "refuses a revoked key, and tells which it is",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId, scopes: ["a"], metadata: { b: 1 } });
      await api.revoke(key.key_id);
      const identity = { key_id: key.key_id, status: "KEY_STATUS_REVOKED" };
      expect(await api.verify(secret)).toEqual(refusedVerification("REVOKED", "the key is revoked", identity));
      expect(await api.verify(withOtherSecret(secret))).toEqual(UNKNOWN);
    },
  },
  {
    name: "refuses a key when its life is over; it is EXPIRED everywhere, and cannot be rotated",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId, ttl: "1s" });
      const answer = await eventually("the key to expire", async () => {
        const current = await api.verify(secret);
        return current.is_valid === true ? undefined : current;
      });
      const identity = { key_id: key.key_id, status: "KEY_STATUS_EXPIRED" };
      expect(answer).toEqual(refusedVerification("EXPIRED", "the credential is expired", identity));
      expect(await api.get(key.key_id)).toEqual({ ...key, status: "KEY_STATUS_EXPIRED" });
      const filter = `actor_id="${actorId}" AND status=`;
      expect((await api.list({ filter: `${filter}KEY_STATUS_EXPIRED` })).issued_api_keys).toHaveLength(1);
      expect((await api.list({ filter: `${filter}KEY_STATUS_ACTIVE` })).issued_api_keys).toEqual([]);
      expect(await api.refusal("AdminRotateIssuedApiKey", { key_id: key.key_id })).toEqual(notActive("expired"));
      await api.revoke(key.key_id);
      expect((await api.get(key.key_id)).status).toBe("KEY_STATUS_REVOKED");
    },
  },
  {
    name: "asks for a credential",
    run: async ({ api }) => {
      expect(await api.refusal("AdminVerifyApiKey", {})).toEqual(
        invalid("credential", "is required", "CREDENTIAL_REQUIRED"),
      );
    },
  },
  {
    name: "takes a credential of 16 KiB and no more",
    run: async ({ api }) => {
      expect(await api.verify("é".repeat(MAX_CREDENTIAL_BYTES / 2))).toEqual(UNKNOWN);
      const tooLong = `${"é".repeat(MAX_CREDENTIAL_BYTES / 2)}x`;
      expect(await api.refusal("AdminVerifyApiKey", { credential: tooLong })).toEqual(
        invalid("credential", `must be at most ${MAX_CREDENTIAL_BYTES} bytes`),
      );
    },
  },
  {
    name: "refuses a key outside its networks, by the client's address or by the caller's word",
    run: async ({ api, actorId }) => {
      const cidrs = ["192.0.2.0/24", "2001:db8::/32"];
      const { issued_api_key: key, secret } = await api.issue({
        actor_id: actorId,
        ip_restriction: { allowed_cidrs: cidrs },
      });
      const identity = { key_id: key.key_id, status: "KEY_STATUS_ACTIVE" };
      const outside = refusedVerification(
        "IP_NOT_ALLOWED",
        "the key may not be used from the client's address",
        identity,
      );
      expect(await api.verify(secret)).toEqual(outside);
      for (const ip of ["192.0.3.1", "2001:db9::1", "::ffff:192.0.3.1", "127.0.0.1"]) {
        expect(await api.verify(secret, { client_ip: ip })).toEqual(outside);
      }
      for (const ip of ["192.0.2.255", "2001:db8::1", "::ffff:192.0.2.1"]) {
        expect(await api.verify(secret, { client_ip: ip })).toMatchObject({ is_valid: true, key_id: key.key_id });
      }
      expect(await api.refusal("AdminVerifyApiKey", { credential: secret, client_ip: "192.0.2.0/24" })).toEqual(
        invalid("client_ip", "must be an IPv4 or IPv6 address"),
      );
    },
  },
  {
    name: "asks nothing of the address of a key without networks",
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      expect(await api.verify(secret, { client_ip: "203.0.113.7" })).toMatchObject({ is_valid: true });
    },
  },
];

export const storyCases: readonly Case[] = [
  {
    name: "a new user issues a key, verifies it, rotates it, revokes it, and sees it refused",
    run: async ({ api, actorId }) => {
      const { issued_api_key: first, secret: firstSecret } = await api.issue({
        name: "demo",
        actor_id: actorId,
        scopes: ["orders:read"],
      });
      expect(await isValid(api, firstSecret)).toBe(true);

      const rotated = await api.rotate(first.key_id, { grace_period: "3600s" });
      expect(await isValid(api, firstSecret)).toBe(true);
      expect(await isValid(api, rotated.secret)).toBe(true);

      await api.revoke(first.key_id);
      expect(await isValid(api, firstSecret)).toBe(false);
      await api.revoke(rotated.issued_api_key.key_id, { reason: "REVOCATION_REASON_KEY_COMPROMISE" });
      const identity = { key_id: rotated.issued_api_key.key_id, status: "KEY_STATUS_REVOKED" };
      expect(await api.verify(rotated.secret)).toEqual(refusedVerification("REVOKED", "the key is revoked", identity));

      const { issued_api_keys: keys } = await api.list({ filter: `actor_id="${actorId}"` });
      expect(keys.map(({ name, status, scopes }) => ({ name, status, scopes }))).toEqual(
        Array.from({ length: 2 }, () => ({ name: "demo", status: "KEY_STATUS_REVOKED", scopes: ["orders:read"] })),
      );
      expect(await api.refusal("AdminRotateIssuedApiKey", { key_id: rotated.issued_api_key.key_id })).toEqual(
        notActive("revoked"),
      );
      expect(await api.refusal("AdminVerifyApiKey", { credential: rotated.secret }, { token: undefined })).toEqual(
        refused("UNAUTHENTICATED", "UNAUTHENTICATED", "a valid bearer token is required"),
      );
    },
  },
];

async function isValid(api: Api, secret: string): Promise<boolean> {
  return (await api.verify(secret)).is_valid === true;
}

/** The same key id with another secret, well-formed. */
export function withOtherSecret(credential: string): string {
  const bytes = bodyOf(credential);
  return formatIssuedKey({
    prefix: "lk",
    keyId: uuidFromBytes(bytes),
    secret: bytes.subarray(KEY_ID_BYTES, SECRET_END).map((byte) => byte ^ 1),
  });
}

/** Another key id with the same secret, well-formed. */
function withOtherKeyId(credential: string): string {
  const bytes = bodyOf(credential);
  return formatIssuedKey({
    prefix: "lk",
    keyId: uuidFromBytes(bytes.subarray(0, KEY_ID_BYTES).map((byte, index) => (index === 15 ? byte ^ 1 : byte))),
    secret: bytes.subarray(KEY_ID_BYTES, SECRET_END),
  });
}

function bodyOf(credential: string): Uint8Array {
  return base58.decode(credential.replace("lk_v1_", ""));
}
