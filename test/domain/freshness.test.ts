/** Which operations may rest on a key that was read before. */

import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { deriveToken } from "../../src/domain/derive-token.js";
import { selfRevokeKey } from "../../src/domain/self-revoke-key.js";
import { verifyKey, verifyKeys } from "../../src/domain/verify-key.js";
import type { Freshness, KeyStore } from "../../src/store/key-store.js";
import { createFixture, derive, type Fixture, issue, tenantId } from "./fixture.js";
import { withMethods } from "./with-methods.js";

let domain: Fixture;
let asked: (Freshness | undefined)[];
let store: KeyStore;
beforeEach(async () => {
  domain = await createFixture();
  asked = [];
  store = withMethods(domain.store, {
    readForVerification: (id, freshness) => {
      asked.push(freshness);
      return domain.store.read(id);
    },
    readManyForVerification: (tenant, keyIds, freshness) => {
      asked.push(freshness);
      return domain.store.readMany(tenant, keyIds);
    },
  });
});
afterEach(() => domain.dispose());

test("a verification may, unless it says otherwise", async () => {
  const { secret } = await issue(domain);
  const { token } = await derive(domain, { credential: secret });
  const context = { ...domain, store };
  for (const credential of [secret, token]) {
    const input = { tenantId, credential, clientAddress: undefined };
    await verifyKey(context, input);
    await verifyKey(context, input, "fresh");
    await verifyKey(context, input, "unstored");
    await verifyKeys(context, tenantId, [input]);
    await verifyKeys(context, tenantId, [input], "fresh");
    await verifyKeys(context, tenantId, [input], "unstored");
  }
  const each = ["cached", "fresh", "unstored", "cached", "fresh", "unstored"];
  expect(asked).toEqual([...each, ...each]);
});

test("a token is made from a key that is read for it", async () => {
  const { secret } = await issue(domain);
  const input = { tenantId, clientAddress: undefined, algorithm: "jwt", scopes: [] } as const;
  const { token } = await deriveToken({ ...domain, store }, { ...input, credential: secret });
  await deriveToken({ ...domain, store }, { ...input, credential: token });
  expect(asked).toEqual(["fresh", "fresh"]);
});

test("a holder revokes a key that is read for it", async () => {
  const { record, secret } = await issue(domain);
  await selfRevokeKey(
    { ...domain, store },
    { tenantId, credential: secret, reason: "unspecified", clientAddress: "::1" },
  );
  expect(asked).toEqual(["fresh"]);
  expect((await domain.store.read(record))?.revocation).toEqual({ reason: "unspecified" });
});
