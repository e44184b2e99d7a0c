import { describe, expect, test } from "@jest/globals";
import { createClassifier } from "../../src/credentials/classify.js";
import { digestOf } from "../../src/credentials/digest.js";
import { formatIssuedKey, hashSecret } from "../../src/credentials/issued-key.js";

const key = { keyId: "01890a5d-ac96-774b-bcce-b302099a8057", secret: Buffer.alloc(32, 1) };

describe("a credential", () => {
  const classify = createClassifier({ issuedPrefixes: ["lk", "pk", "old"], macaroonPrefix: "mc" });

  test.each(["lk", "pk", "old"])("with the prefix %s and a good checksum is issued, seen once or again", (prefix) => {
    const credential = formatIssuedKey({ ...key, prefix });
    const expected = { kind: "issued", keyId: key.keyId, secretHash: hashSecret(key.secret) };
    expect(classify(credential)).toEqual(expected);
    expect(classify(credential)).toEqual(expected);
  });

  test("with an issued prefix and a bad checksum may be imported, and is mistyped if not", () => {
    const rawKey = `${formatIssuedKey({ ...key, prefix: "lk" })}x`;
    expect(classify(rawKey)).toEqual({ kind: "imported", rawKey, mistyped: true });
  });

  test("of no form of ours is imported", () => {
    expect(classify("sk_live_1")).toEqual({ kind: "imported", rawKey: "sk_live_1", mistyped: false });
  });

  test.each(["lk2_v1_x", "lk_v2_x", "LK_v1_x", " lk_v1_x", "unknown_v1_x", "lk"])(
    "that only looks like an issued one is imported, and not mistyped: %j",
    (rawKey) => {
      expect(classify(rawKey)).toEqual({ kind: "imported", rawKey, mistyped: false });
    },
  );

  test.each(["mc_v1_", "mc_v1_x", "mc_v1_a.b.c"])(
    "with the macaroon prefix is a macaroon, whatever follows: %s",
    (token) => {
      expect(classify(token)).toEqual({ kind: "macaroon", digest: digestOf(token) });
    },
  );

  test.each(["e30.e30.", "e30.x.x", "eyJhIjoxfQ.____.----"])(
    "of three parts, the first an object, is a JWT: %s",
    (token) => {
      expect(classify(token)).toEqual({ kind: "jwt", digest: digestOf(token) });
    },
  );

  test.each(["e30.e30", "e30..", "e30.e30.e30.e30", "W10.e30.e30", "x.y.z", "e30=.e30.e30", "MC_v1_x", "mc_v2_x", ""])(
    "of neither form is imported: %j",
    (rawKey) => {
      expect(classify(rawKey)).toEqual({ kind: "imported", rawKey, mistyped: false });
    },
  );

  test("that differs from one that is remembered is told apart from it", () => {
    const other = { ...key, secret: Buffer.alloc(32, 2) };
    expect(classify(formatIssuedKey({ ...other, prefix: "lk" }))).toEqual({
      kind: "issued",
      keyId: key.keyId,
      secretHash: hashSecret(other.secret),
    });
  });
});
