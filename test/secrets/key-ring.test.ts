import { createHmac, createSecretKey } from "node:crypto";
import { expect, test } from "@jest/globals";
import { KeyRing } from "../../src/secrets/key-ring.js";

const current = createSecretKey(Buffer.from("the current secret of this test, long enough"));
const retired = createSecretKey(Buffer.from("the retired secret of this test, long enough"));

/** RFC 5869 by hand: extract with a salt of zeros, one round of expand. */
function hkdf(secret: string, info: string): Uint8Array {
  const pseudorandom = createHmac("sha256", Buffer.alloc(32)).update(secret).digest();
  return new Uint8Array(
    createHmac("sha256", pseudorandom)
      .update(info)
      .update(Buffer.from([1]))
      .digest(),
  );
}

test("keys are HKDF-SHA-256 of the secrets, the purpose as info", () => {
  const keys = new KeyRing({ current, retired: [{ secret: retired }] }).derive("latchkey/page-token/v1");
  expect(keys.current).toEqual(hkdf("the current secret of this test, long enough", "latchkey/page-token/v1"));
  expect(keys.all).toEqual([
    keys.current,
    hkdf("the retired secret of this test, long enough", "latchkey/page-token/v1"),
  ]);
  expect(keys.current).toHaveLength(32);
});

test("each purpose has keys of its own, computed once", () => {
  const ring = new KeyRing({ current, retired: [] });
  expect(ring.derive("latchkey/macaroon/v1").current).not.toEqual(ring.derive("latchkey/idempotency/v1").current);
  expect(ring.derive("latchkey/macaroon/v1")).toBe(ring.derive("latchkey/macaroon/v1"));
});
