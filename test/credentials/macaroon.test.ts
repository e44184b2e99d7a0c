import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { addCaveat, createMacaroon, verifySignature } from "../../src/credentials/macaroon.js";
import { encodeMacaroon } from "../../src/credentials/macaroon-codec.js";
import { importMacaroon, newMacaroon } from "./macaroon-package.js";
import { firstParty } from "./macaroon-vectors.js";

const ROOT_KEY = Buffer.alloc(32, 7);
const sample = ["a", "b", "c"].reduce(
  (macaroon, caveat) => addCaveat(macaroon, Buffer.from(caveat)),
  createMacaroon(ROOT_KEY, Buffer.from("identifier")),
);

describe("the signature of a macaroon", () => {
  test.each(firstParty)(
    "is as the vectors say: $name",
    ({ root_key, identifier, location, caveats, signature, v2 }) => {
      const macaroon = caveats.reduce(
        (narrowed, caveat) => addCaveat(narrowed, Buffer.from(caveat.identifier)),
        createMacaroon(Buffer.from(root_key), Buffer.from(identifier), location),
      );
      expect(Buffer.from(macaroon.signature).toString("hex")).toBe(signature);
      expect(Buffer.from(encodeMacaroon(macaroon)).toString("base64url")).toBe(v2);
      expect(verifySignature(macaroon, Buffer.from(root_key))).toBe(true);
      expect(verifySignature(macaroon, Buffer.from(`${root_key}.`))).toBe(false);
    },
  );

  test("is the one that npm's macaroon makes, which takes it too", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(bytes, bytes, fc.array(fc.string({ unit: "grapheme" })), (rootKey, identifier, caveats) => {
        const theirs = newMacaroon({ identifier, rootKey, version: 2 });
        let ours = createMacaroon(rootKey, identifier);
        for (const caveat of caveats) {
          theirs.addFirstPartyCaveat(caveat);
          ours = addCaveat(ours, Buffer.from(caveat));
        }
        expect(ours.signature).toEqual(theirs.signature);
        expect(verifySignature({ ...ours, signature: theirs.signature }, rootKey)).toBe(true);
        const seen: string[] = [];
        importMacaroon(encodeMacaroon(ours)).verify(rootKey, (caveat) => {
          seen.push(caveat);
          return null;
        });
        expect(seen).toEqual(caveats);
      }),
      { seed: 1 },
    );
  });

  test("holds for the macaroon as it was made", () => {
    expect(verifySignature(sample, ROOT_KEY)).toBe(true);
  });

  test.each([
    ["another root key", { ...sample }, Buffer.alloc(32, 8)],
    ["an empty root key", { ...sample }, Buffer.alloc(0)],
    ["another identifier", { ...sample, identifier: Buffer.from("Identifier") }, ROOT_KEY],
    ["a caveat less at the end", { ...sample, caveats: sample.caveats.slice(0, -1) }, ROOT_KEY],
    ["a caveat less at the start", { ...sample, caveats: sample.caveats.slice(1) }, ROOT_KEY],
    ["no caveats", { ...sample, caveats: [] }, ROOT_KEY],
    ["a caveat twice", { ...sample, caveats: [...sample.caveats, ...sample.caveats.slice(-1)] }, ROOT_KEY],
    ["caveats in another order", { ...sample, caveats: [...sample.caveats].reverse() }, ROOT_KEY],
    ["a changed caveat", { ...sample, caveats: [...sample.caveats.slice(0, -1), Buffer.from("d")] }, ROOT_KEY],
    ["a signature of 31 bytes", { ...sample, signature: sample.signature.subarray(1) }, ROOT_KEY],
    ["a signature of 33 bytes", { ...sample, signature: Buffer.concat([sample.signature, Buffer.of(0)]) }, ROOT_KEY],
    ["no signature", { ...sample, signature: Buffer.alloc(0) }, ROOT_KEY],
  ])("does not hold with %s", (_, macaroon, rootKey) => {
    expect(verifySignature(macaroon, rootKey)).toBe(false);
  });

  test("does not hold with any bit of it changed", () => {
    for (let bit = 0; bit < 256; bit++) {
      const signature = Buffer.from(sample.signature);
      signature.writeUInt8(signature.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(verifySignature({ ...sample, signature }, ROOT_KEY)).toBe(false);
    }
  });

  test("does not cover the location", () => {
    expect(verifySignature({ ...sample, location: "elsewhere" }, ROOT_KEY)).toBe(true);
  });
});

test("a caveat is added to a copy", () => {
  const macaroon = createMacaroon(ROOT_KEY, Buffer.from("identifier"), "here");
  const narrowed = addCaveat(macaroon, Buffer.from("a"));
  expect(macaroon.caveats).toEqual([]);
  expect(narrowed).toEqual({ ...macaroon, caveats: [Buffer.from("a")], signature: narrowed.signature });
  expect(narrowed.signature).not.toEqual(macaroon.signature);
});
