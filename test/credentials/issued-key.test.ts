import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatIssuedKey, hashSecret, isSameSecretHash, parseIssuedKey } from "../../src/credentials/issued-key.js";

interface Vectors {
  valid: {
    note: string;
    prefix: string;
    key_id: string;
    secret_hex: string;
    checksum_hex: string;
    secret_sha256_hex: string;
    credential: string;
  }[];
  invalid: { note: string; credential: string; error: "mistyped" | "not_issued" }[];
}

const vectors = JSON.parse(readFileSync(new URL("../vectors/issued-keys.json", import.meta.url), "utf8")) as Vectors;
const PREFIXES = ["lk", "pk", "l"];

describe("issued keys", () => {
  test.each(vectors.valid)("are formatted as the vectors say: $note", (vector) => {
    const secret = Buffer.from(vector.secret_hex, "hex");
    expect(formatIssuedKey({ prefix: vector.prefix, keyId: vector.key_id, secret })).toBe(vector.credential);
  });

  test.each(vectors.valid)("are read back: $note", ({ credential, prefix, key_id: keyId, secret_hex }) => {
    const parsed = parseIssuedKey(credential, [prefix]);
    if (!("value" in parsed)) throw new Error(parsed.error);
    const { secret, ...rest } = parsed.value;
    expect(rest).toEqual({ prefix, keyId });
    expect(Buffer.from(secret).toString("hex")).toBe(secret_hex);
  });

  test.each(vectors.invalid)("are refused: $note", ({ credential, error }) => {
    expect(parseIssuedKey(credential, PREFIXES)).toEqual({ error });
  });

  test("select as one word: no hyphen", () => {
    for (const { credential } of vectors.valid) expect(credential).toMatch(/^\w+$/);
  });

  test("never make the reader throw, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.constantFrom("", "lk_v1_", "pk_v1_"),
        (text, start) => {
          expect(parseIssuedKey(start + text, PREFIXES)).toHaveProperty("error");
        },
      ),
      { seed: 1, numRuns: 5_000 },
    );
  });

  test("differ from every key that is one typing error away", () => {
    const [{ credential }] = vectors.valid as [Vectors["valid"][0]];
    const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    for (let at = "lk_v1_".length; at < credential.length; at++) {
      for (const letter of alphabet) {
        if (letter === credential[at]) continue;
        const typo = credential.slice(0, at) + letter + credential.slice(at + 1);
        expect(parseIssuedKey(typo, PREFIXES)).toEqual({ error: "mistyped" });
      }
    }
  });
});

describe("the hash of a secret", () => {
  test.each(vectors.valid)("is SHA-256 of its bytes: $note", ({ secret_hex, secret_sha256_hex }) => {
    expect(Buffer.from(hashSecret(Buffer.from(secret_hex, "hex"))).toString("hex")).toBe(secret_sha256_hex);
  });

  test("is the same for the same secret, and for no other", () => {
    const hash = hashSecret(Buffer.alloc(32, 7));
    expect(isSameSecretHash(hashSecret(Buffer.alloc(32, 7)), hash)).toBe(true);
    expect(isSameSecretHash(hashSecret(Buffer.alloc(32, 8)), hash)).toBe(false);
    expect(isSameSecretHash(hash.subarray(1), hash)).toBe(false);
  });
});
