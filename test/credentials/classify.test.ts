import { describe, expect, test } from "@jest/globals";
import { classifyCredential } from "../../src/credentials/classify.js";
import { formatIssuedKey } from "../../src/credentials/issued-key.js";

const key = { keyId: "01890a5d-ac96-774b-bcce-b302099a8057", secret: Buffer.alloc(32, 1) };

describe("a credential", () => {
  test.each(["lk", "pk", "old"])("with the prefix %s and a good checksum is issued", (prefix) => {
    const credential = formatIssuedKey({ ...key, prefix });
    expect(classifyCredential(credential, ["lk", "pk", "old"])).toEqual({ kind: "issued", key: { ...key, prefix } });
  });

  test("with an issued prefix and a bad checksum may be imported, and is mistyped if not", () => {
    const rawKey = `${formatIssuedKey({ ...key, prefix: "lk" })}x`;
    expect(classifyCredential(rawKey, ["lk"])).toEqual({ kind: "imported", rawKey, mistyped: true });
  });

  test("of no form of ours is imported", () => {
    expect(classifyCredential("sk_live_1", ["lk"])).toEqual({ kind: "imported", rawKey: "sk_live_1", mistyped: false });
  });
});
