/** Keys that may be used from some networks only, and what the client's address is. */
import { expect } from "@jest/globals";
import { type Api, invalid, type RefusalFacts, refused } from "../api.js";
import { forwardedFor } from "../client-addresses.js";
import type { Case } from "./case.js";
import { randomRawKey } from "./raw-key.js";

const CIDR_RULE = "must be a network in CIDR notation, such as 10.0.0.0/8";
export const IP_NOT_ALLOWED = refused(
  "PERMISSION_DENIED",
  "IP_NOT_ALLOWED",
  "the key may not be used from the client's address",
);

export const ipCases: readonly Case[] = [
  ...allowed([
    [
      "an IPv4 network",
      ["10.0.0.0/8"],
      ["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:0a01:0203"],
      ["192.0.2.1", "::10.1.2.3"],
    ],
    ["a single address", ["192.0.2.7/32"], ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]],
    ["an IPv6 network", ["2001:db8::/32"], ["2001:db8::1", "2001:0DB8:ffff::"], ["2001:db9::1", "10.1.2.3"]],
    ["a network with host bits", ["10.1.2.3/8"], ["10.255.0.1"], ["11.1.2.3"]],
    ["all of IPv4", ["0.0.0.0/0"], ["203.0.113.1", "::ffff:203.0.113.1"], ["2001:db8::1"]],
    ["several networks", ["10.0.0.0/8", "2001:db8::/32"], ["10.0.0.1", "2001:db8::1"], ["192.0.2.1", "2001:db9::1"]],
  ]),
  {
    name: "goes by the connection when the caller names no address",
    run: async ({ api, actorId }) => {
      const [here, elsewhere] = [
        await issueFor(api, actorId, "127.0.0.0/8"),
        await issueFor(api, actorId, "10.0.0.0/8"),
      ];
      expect((await api.verify(here)).is_valid).toBe(true);
      expect((await api.verify(elsewhere)).error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
      expect((await api.verify(here, { client_ip: "10.1.2.3" })).error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
      expect((await api.verify(elsewhere, { client_ip: "10.1.2.3" })).is_valid).toBe(true);
    },
  },
  {
    name: "believes no header where no proxy is trusted",
    run: async ({ api, actorId }) => {
      const secret = await issueFor(api, actorId, "10.0.0.0/8");
      const headers = { "x-forwarded-for": "10.1.2.3", "x-real-ip": "10.1.2.3", "true-client-ip": "10.1.2.3" };
      const answer = await api.verify(secret, {}, { headers });
      expect(answer.error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
    },
  },
  {
    name: "goes by what a trusted proxy says, unless the caller names an address",
    server: "proxied",
    run: async ({ api, actorId }) => {
      const secret = await issueFor(api, actorId, "10.0.0.0/8");
      const outcome = async (request: Parameters<Api["verify"]>[1], header?: string) =>
        (await api.verify(secret, request, header === undefined ? {} : forwardedFor(header))).error_code;
      expect(await outcome({}, "10.1.2.3")).toBe("VERIFICATION_ERROR_UNSPECIFIED");
      expect(await outcome({}, "192.0.2.1")).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
      expect(await outcome({}, "10.1.2.3, 192.0.2.1")).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
      expect(await outcome({}, "192.0.2.1, 10.1.2.3")).toBe("VERIFICATION_ERROR_UNSPECIFIED");
      expect(await outcome({}, "nonsense")).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
      expect(await outcome({})).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
      expect(await outcome({ client_ip: "10.1.2.3" }, "192.0.2.1")).toBe("VERIFICATION_ERROR_UNSPECIFIED");
      expect(await outcome({ client_ip: "192.0.2.1" }, "10.1.2.3")).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
    },
  },
  {
    name: "derives nothing for an address outside the key's networks",
    run: async ({ api, actorId }) => {
      const secret = await issueFor(api, actorId, "10.0.0.0/8");
      for (const request of [{}, { client_ip: "192.0.2.1" }]) {
        expect(await deriveRefusal(api, secret, request)).toEqual(IP_NOT_ALLOWED);
      }
      expect((await api.derive(secret, { client_ip: "10.1.2.3" })).claims.acl).toEqual(["10.0.0.0/8"]);
      expect(await deriveRefusal(api, secret, { client_ip: "10.0.0.0/8" })).toEqual(
        invalid("client_ip", "must be an IPv4 or IPv6 address"),
      );
    },
  },
  {
    name: "lets a holder revoke a key from anywhere",
    run: async ({ api, actorId }) => {
      const secret = await issueFor(api, actorId, "10.0.0.0/8");
      expect(await api.selfRevoke(secret)).toEqual({});
      expect((await api.verify(secret, { client_ip: "10.1.2.3" })).error_code).toBe("VERIFICATION_ERROR_REVOKED");
    },
  },
  {
    name: "takes a changed restriction for true at once, also for tokens that were derived before",
    run: async ({ api, actorId }) => {
      const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
      const { token } = await api.derive(secret);
      for (const credential of [secret, token]) expect((await api.verify(credential)).is_valid).toBe(true);
      await api.update({ key_id: key.key_id, ip_restriction: { allowed_cidrs: ["10.0.0.0/8"] } }, "ip_restriction");
      for (const credential of [secret, token]) {
        expect((await api.verify(credential)).error_code).toBe("VERIFICATION_ERROR_IP_NOT_ALLOWED");
        expect((await api.verify(credential, { client_ip: "10.1.2.3" })).is_valid).toBe(true);
      }
    },
  },
  {
    name: "names a malformed network wherever one is given",
    run: async ({ api, actorId }) => {
      const { key_id } = (await api.issue({ actor_id: actorId })).issued_api_key;
      const imported = await api.importKey({ raw_key: randomRawKey(), actor_id: actorId });
      const ip_restriction = { allowed_cidrs: ["10.0.0.0/8", "10.0.0.0/33"] };
      const path = "ip_restriction.allowed_cidrs[1]";
      const named = { name: "key", actor_id: actorId, ip_restriction };
      expect(await api.refusal("AdminIssueApiKey", named)).toEqual(invalid(path, CIDR_RULE));
      expect(await api.refusal("AdminImportApiKey", { ...named, raw_key: randomRawKey() })).toEqual(
        invalid(path, CIDR_RULE),
      );
      expect(await api.refusal("AdminRotateIssuedApiKey", { key_id, ip_restriction })).toEqual(
        invalid(path, CIDR_RULE),
      );
      expect(await api.refusal("AdminUpdateIssuedApiKey", { issued_api_key: { key_id, ip_restriction } })).toEqual(
        invalid(`issued_api_key.${path}`, CIDR_RULE),
      );
      const resource = { key_id: imported.key_id, ip_restriction };
      expect(await api.refusal("AdminUpdateImportedApiKey", { imported_api_key: resource })).toEqual(
        invalid(`imported_api_key.${path}`, CIDR_RULE),
      );
    },
  },
];

type Row = readonly [what: string, cidrs: string[], inside: readonly string[], outside: readonly string[]];

/** Keys, and tokens derived from them, pass from the addresses inside and are refused from those outside. */
function allowed(rows: readonly Row[]): Case[] {
  return rows.map(([what, cidrs, inside, outside]) => ({
    name: `restricts a key and its tokens to ${what}`,
    run: async ({ api, actorId }) => {
      const { secret } = await api.issue({ actor_id: actorId, ip_restriction: { allowed_cidrs: cidrs } });
      const client_ip = inside[0] ?? "";
      const { token: jwt } = await api.derive(secret, { client_ip });
      const { token: macaroon } = await api.derive(secret, { client_ip, algorithm: "TOKEN_ALGORITHM_MACAROON" });
      for (const credential of [secret, jwt, macaroon]) {
        const codes = (addresses: readonly string[]) =>
          Promise.all(addresses.map(async (ip) => (await api.verify(credential, { client_ip: ip })).error_code));
        expect(await codes(inside)).toEqual(inside.map(() => "VERIFICATION_ERROR_UNSPECIFIED"));
        expect(await codes(outside)).toEqual(outside.map(() => "VERIFICATION_ERROR_IP_NOT_ALLOWED"));
      }
    },
  }));
}

async function issueFor(api: Api, actorId: string, cidr: string): Promise<string> {
  const { secret } = await api.issue({ actor_id: actorId, ip_restriction: { allowed_cidrs: [cidr] } });
  return secret;
}

function deriveRefusal(api: Api, credential: string, request: Parameters<Api["derive"]>[1]): Promise<RefusalFacts> {
  return api.refusal("AdminDeriveToken", { credential, ...request });
}
