/**
 * A holder revokes a key. Failures are counted by the client's address, so each case comes from one of its own.
 */
import { expect } from "@jest/globals";
import { type Api, CREDENTIAL_REQUIRED, invalid, KEY_NOT_FOUND, refused } from "../api.js";
import { forwardedFor, nextClientAddress } from "../client-addresses.js";
import type { CallOptions, JsonObject } from "../clients/api-client.js";
import { eventually } from "../eventually.js";
import type { Case } from "./case.js";
import { randomRawKey } from "./raw-key.js";
import { withOtherCharacter } from "./token-parts.js";
import { refusedVerification, withOtherSecret } from "./verify-cases.js";

const MAX_FAILURES = 10;
const NOT_REVOCABLE = refused(
  "INVALID_ARGUMENT",
  "DERIVED_TOKEN_NOT_REVOCABLE",
  "derived tokens cannot be revoked; revoke their key",
);

type Run = (context: { readonly api: Api; readonly actorId: string; readonly from: CallOptions }) => Promise<void>;

export const selfRevokeCases: readonly Case[] = cases([
  {
    name: "revokes the key that it is shown, issued or imported, and does so once",
    run: async ({ api, actorId, from }) => {
      const { issued_api_key: issued, secret } = await api.issue({ actor_id: actorId });
      const rawKey = randomRawKey();
      const imported = await api.importKey({ raw_key: rawKey, actor_id: actorId });
      const reason = "REVOCATION_REASON_KEY_COMPROMISE";
      for (const [credential, { key_id }] of [
        [secret, issued],
        [rawKey, imported],
      ] as const) {
        expect((await api.verify(credential)).is_valid).toBe(true);
        expect(await api.selfRevoke(credential, { reason }, from)).toEqual({});
        const identity = { key_id, status: "KEY_STATUS_REVOKED" };
        expect(await api.verify(credential)).toEqual(refusedVerification("REVOKED", "the key is revoked", identity));
        const other = "REVOCATION_REASON_AFFILIATION_CHANGED";
        expect(await api.selfRevoke(credential, { reason: other }, from)).toEqual({});
      }
      expect((await api.get(issued.key_id)).revocation_reason).toBe(reason);
      expect((await api.getImported(imported.key_id)).revocation_reason).toBe(reason);
    },
  },
  {
    name: "takes every reason but PRIVILEGE_WITHDRAWN",
    run: async ({ api, actorId, from }) => {
      for (const reason of ["UNSPECIFIED", "KEY_COMPROMISE", "AFFILIATION_CHANGED", "SUPERSEDED"]) {
        const { issued_api_key: key, secret } = await api.issue({ actor_id: actorId });
        expect(await api.selfRevoke(secret, { reason: `REVOCATION_REASON_${reason}` }, from)).toEqual({});
        expect((await api.get(key.key_id)).revocation_reason).toBe(`REVOCATION_REASON_${reason}`);
      }
      const { secret } = await api.issue({ actor_id: actorId });
      const reason = "REVOCATION_REASON_PRIVILEGE_WITHDRAWN";
      expect(await refusal(api, secret, from, { reason })).toEqual(
        invalid("reason", "REVOCATION_REASON_PRIVILEGE_WITHDRAWN is for operators"),
      );
      expect((await api.verify(secret)).is_valid).toBe(true);
    },
  },
  {
    name: "does not revoke derived tokens, good or bad",
    run: async ({ api, actorId, from }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const { token: jwt } = await api.derive(secret);
      const { token: macaroon } = await api.derive(secret, { algorithm: "TOKEN_ALGORITHM_MACAROON" });
      for (const credential of [jwt, macaroon, withOtherCharacter(jwt), "mc_v1_x"]) {
        expect(await refusal(api, credential, from)).toEqual(NOT_REVOCABLE);
      }
      expect((await api.verify(jwt)).is_valid).toBe(true);
    },
  },
  {
    name: "does not tell an unknown key, a wrong secret, a mistyped and a deleted key apart",
    run: async ({ api, actorId, from }) => {
      const { secret } = await api.issue({ actor_id: actorId });
      const rawKey = randomRawKey();
      const { key_id } = await api.importKey({ raw_key: rawKey, actor_id: actorId });
      await api.deleteImported(key_id);
      const outcomes = [];
      for (const credential of ["unknown-credential", withOtherSecret(secret), `${secret}1`, rawKey]) {
        const outcome = await api.call("RevokeApiKey", { credential }, { token: undefined, ...from });
        const { headers: _, ...said } = outcome;
        outcomes.push(said);
      }
      expect(outcomes).toEqual(outcomes.map(() => ({ ok: false, ...KEY_NOT_FOUND, metadata: {} })));
      expect((await api.verify(secret)).is_valid).toBe(true);
    },
  },
  {
    name: "asks for a credential, of 16 KiB at most",
    run: async ({ api, from }) => {
      expect(await refusal(api, "", from)).toEqual(CREDENTIAL_REQUIRED);
      expect(await refusal(api, "x".repeat(16_385), from)).toEqual(
        invalid("credential", "must be at most 16384 bytes"),
      );
    },
  },
  {
    name: "revokes a key that is expired already, and an old key in its grace period",
    run: async ({ api, actorId, from }) => {
      const { issued_api_key: short, secret: shortSecret } = await api.issue({ actor_id: actorId, ttl: "1s" });
      const { issued_api_key: old, secret: oldSecret } = await api.issue({ actor_id: actorId });
      await api.rotate(old.key_id, { grace_period: "3600s" });
      expect(await api.selfRevoke(oldSecret, {}, from)).toEqual({});
      expect((await api.get(old.key_id)).status).toBe("KEY_STATUS_REVOKED");
      await eventually(
        "the key to expire",
        async () => (await api.verify(shortSecret)).is_valid === false || undefined,
      );
      expect(await api.selfRevoke(shortSecret, {}, from)).toEqual({});
      expect((await api.get(short.key_id)).status).toBe("KEY_STATUS_REVOKED");
    },
  },
  {
    name: "lets an address fail 10 times in a minute, and no other address pay for it",
    run: async ({ api, actorId, from }) => {
      const { secret: issued } = await api.issue({ actor_id: actorId });
      const [secret, other] = [randomRawKey(), randomRawKey()];
      for (const raw_key of [secret, other]) await api.importKey({ raw_key, actor_id: actorId });
      // What is refused for its form is no attempt to guess a key.
      await refusal(api, "", from);
      await refusal(api, "mc_v1_x", from);
      for (let failure = 0; failure < MAX_FAILURES; failure++) {
        expect(await refusal(api, `unknown-credential-${failure}`, from)).toEqual(KEY_NOT_FOUND);
      }
      for (const credential of ["unknown-credential", secret]) {
        const outcome = await api.call("RevokeApiKey", { credential }, { token: undefined, ...from });
        if (outcome.ok) throw new Error("it was not refused");
        const { code, reason, message, fields, metadata } = outcome;
        const seconds = Number(metadata.retry_after_seconds);
        expect({ code, reason, message, fields }).toEqual(
          refused("RESOURCE_EXHAUSTED", "RATE_LIMITED", `too many attempts failed; try again in ${seconds} s`),
        );
        expect(seconds).toBeGreaterThan(0);
        expect(seconds).toBeLessThanOrEqual(60);
      }
      expect((await api.verify(secret)).is_valid).toBe(true);
      expect(await api.selfRevoke(issued, {}, from)).toEqual({}); // what was issued here cannot be guessed
      expect(await api.selfRevoke(other, {}, forwardedFor(nextClientAddress()))).toEqual({});
    },
  },
]);

function cases(rows: readonly { readonly name: string; readonly run: Run }[]): Case[] {
  return rows.map(({ name, run }) => ({
    name,
    server: "proxied",
    run: (context) => run({ ...context, from: forwardedFor(nextClientAddress()) }),
  }));
}

function refusal(api: Api, credential: string, from: CallOptions, request: JsonObject = {}) {
  return api.refusal("RevokeApiKey", { credential, ...request }, { token: undefined, ...from });
}
