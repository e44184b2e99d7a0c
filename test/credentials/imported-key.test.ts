import { createSecretKey } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { importedKeyId, pepperCheckValue } from "../../src/credentials/imported-key.js";

const NIL_TENANT = "00000000-0000-0000-0000-000000000000";
const TENANT = "01890a5d-ac96-774b-bcce-b302099a8057";

/** 00 01 02 ... 1f, as the values below were computed by another implementation. */
const pepper = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, index) => index)));
const otherPepper = createSecretKey(Buffer.alloc(32, 1));

describe("the key id of an imported key", () => {
  test.each([
    [NIL_TENANT, "sk_live_1", "3573499a3c24d6d8e83f512431c5353559bc6752a27c824cbbce01e4f3cae5c3"],
    [TENANT, "sk_live_1", "90bced696a0585d4fd2f027dbda7908be2266ee56667079b0dd6f3fe09594305"],
    [NIL_TENANT, "ключ \u0000", "45cae4c77229a8367995c1028ce22a5046dadb91dfa38a2ca6a88ff90218ca6e"],
  ])("is HMAC-SHA-512/256 of tenant and raw key: %s, %j", (tenantId, rawKey, keyId) => {
    expect(importedKeyId(pepper, tenantId, rawKey)).toBe(keyId);
  });

  test("is another one for any other pepper, tenant or raw key", () => {
    const ids = [
      importedKeyId(pepper, NIL_TENANT, "sk_live_1"),
      importedKeyId(otherPepper, NIL_TENANT, "sk_live_1"),
      importedKeyId(pepper, TENANT, "sk_live_1"),
      ...["sk_live_2", "sk_live_1 ", "SK_LIVE_1", "\u0000sk_live_1"].map((rawKey) =>
        importedKeyId(pepper, NIL_TENANT, rawKey),
      ),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("the check value of a pepper", () => {
  test("is HMAC-SHA-256 of a label, and another one for another pepper", () => {
    expect(Buffer.from(pepperCheckValue(pepper)).toString("hex")).toBe(
      "3448bf93d238e71d4ede9a3cf13d17ba1bfbaf45f696ff83842b99b90171f752",
    );
    expect(pepperCheckValue(otherPepper)).not.toEqual(pepperCheckValue(pepper));
  });
});
