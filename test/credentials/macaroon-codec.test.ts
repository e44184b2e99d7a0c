import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeMacaroon, encodeMacaroon, type Macaroon } from "../../src/credentials/macaroon-codec.js";
import { firstParty, thirdParty, vectors } from "./macaroon-vectors.js";

const SIGNATURE = "2a".repeat(32);
/** `location`, `identifier`, two caveats. */
const SAMPLE = `02 01016c 02016900 02016100 02016200 00 0620${SIGNATURE}`;

function fromHex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

const anyMacaroon: fc.Arbitrary<Macaroon> = fc.record(
  {
    location: fc.string({ unit: "grapheme", minLength: 1 }),
    identifier: fc.uint8Array({ maxLength: 400 }),
    caveats: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }),
    signature: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  },
  { requiredKeys: ["identifier", "caveats", "signature"] },
);

describe("the encoding of a macaroon", () => {
  test.each(firstParty)("is as the vectors say: $name", ({ identifier, location, caveats, signature, v2 }) => {
    const macaroon = {
      location,
      identifier: Buffer.from(identifier),
      caveats: caveats.map((caveat) => Buffer.from(caveat.identifier)),
      signature: Buffer.from(signature, "hex"),
    };
    expect(Buffer.from(encodeMacaroon(macaroon)).toString("base64url")).toBe(v2);
    expect(decodeMacaroon(Buffer.from(v2, "base64url"))).toEqual(macaroon);
  });

  test("is read again, whatever it holds", () => {
    fc.assert(
      fc.property(anyMacaroon, (macaroon) => {
        expect(decodeMacaroon(encodeMacaroon(macaroon))).toEqual(macaroon);
      }),
      { seed: 1 },
    );
  });

  test("leaves out a location that is empty", () => {
    const macaroon = { identifier: Buffer.from("i"), caveats: [], signature: Buffer.alloc(32) };
    expect(encodeMacaroon({ ...macaroon, location: "" })).toEqual(encodeMacaroon(macaroon));
  });

  test.each([0, 31, 33])("is not made with a signature of %d bytes", (length) => {
    const macaroon = { identifier: Buffer.from("i"), caveats: [], signature: Buffer.alloc(length) };
    expect(() => encodeMacaroon(macaroon)).toThrow(new RangeError("a signature has 32 bytes"));
  });
});

describe("bytes that are no macaroon", () => {
  test.each(thirdParty)("have a third-party caveat: $name", ({ v2 }) => {
    expect(decodeMacaroon(Buffer.from(v2, "base64url"))).toBeUndefined();
  });

  test.each(vectors.packet_errors)("are a damaged packet: $about", ({ hex }) => {
    expect(decodeMacaroon(fromHex(hex))).toBeUndefined();
    expect(decodeMacaroon(fromHex(`02${hex}`))).toBeUndefined();
    expect(decodeMacaroon(fromHex(`02 02016900 ${hex}`))).toBeUndefined();
  });

  test.each(vectors.npm_macaroon_3_0_4.filter(({ accepts }) => !accepts))(
    "are what npm's macaroon refuses too: $name",
    ({ hex }) => {
      expect(decodeMacaroon(fromHex(hex))).toBeUndefined();
    },
  );

  test.each([
    ["nothing", ""],
    ["another version", SAMPLE.replace("02", "01")],
    ["an empty location", SAMPLE.replace("01016c", "0100")],
    ["a location that is not UTF-8", SAMPLE.replace("01016c", "0101ff")],
    ["two locations", SAMPLE.replace("01016c", "01016c 01016c")],
    ["the location after the identifier", SAMPLE.replace("01016c 020169", "020169 01016c")],
    ["no identifier", SAMPLE.replace("020169", "")],
    ["two identifiers", SAMPLE.replace("020169", "020169 020169")],
    ["a caveat with a location", SAMPLE.replace("020161", "01016c 020161")],
    ["a caveat with a verification id", SAMPLE.replace("020161", "020161 040176")],
    ["a field of an unknown type", SAMPLE.replace("020169", "020169 070178")],
    ["no signature", SAMPLE.replace(`0620${SIGNATURE}`, "")],
    ["a signature of 0 bytes", SAMPLE.replace(`0620${SIGNATURE}`, "0600")],
    ["a signature of 31 bytes", SAMPLE.replace(`0620${SIGNATURE}`, `061f${"2a".repeat(31)}`)],
    ["a signature of 33 bytes", SAMPLE.replace(`0620${SIGNATURE}`, `0621${"2a".repeat(33)}`)],
    ["a trailing byte", `${SAMPLE}00`],
    ["two macaroons", `${SAMPLE}${SAMPLE}`],
    ["a length that is not minimal", SAMPLE.replace("020169", "02810069")],
    ["a signature's length that is not minimal", SAMPLE.replace("0620", "06a000")],
    ["a length past the end", SAMPLE.replace("020169", "02ffffffff0f69")],
    ["a length that overflows 32 bits", SAMPLE.replace("020169", "02818080801069")],
    ["a length that overflows 64 bits", SAMPLE.replace("020169", "02ffffffffffffffffffff0169")],
  ])("have %s", (_, hex) => {
    expect(decodeMacaroon(fromHex(SAMPLE))).toBeDefined();
    expect(decodeMacaroon(fromHex(hex))).toBeUndefined();
  });

  test("end too early, wherever that is", () => {
    const bytes = fromHex(SAMPLE);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeMacaroon(bytes.subarray(0, length))).toBeUndefined();
    }
  });

  test("are more than a credential can hold", () => {
    const macaroon = { identifier: Buffer.alloc(12_248), caveats: [], signature: Buffer.alloc(32) };
    const largest = encodeMacaroon(macaroon);
    expect(largest).toHaveLength(12_288);
    expect(decodeMacaroon(largest)).toEqual(macaroon);
    expect(decodeMacaroon(encodeMacaroon({ ...macaroon, identifier: Buffer.alloc(12_249) }))).toBeUndefined();
  });
});

test("what decodes has that one encoding, whatever is changed", () => {
  const sample = fromHex(SAMPLE);
  fc.assert(
    fc.property(fc.nat(sample.length - 1), fc.nat(255), fc.boolean(), (at, byte, isInserted) => {
      const rest = sample.subarray(isInserted ? at : at + 1);
      const bytes = Buffer.concat([sample.subarray(0, at), Uint8Array.of(byte), rest]);
      const macaroon = decodeMacaroon(bytes);
      if (macaroon !== undefined) expect(encodeMacaroon(macaroon)).toEqual(bytes);
    }),
    { seed: 1, numRuns: 5_000 },
  );
});

test("a macaroon may have no location, an empty identifier and empty caveats", () => {
  const macaroon = decodeMacaroon(fromHex(`02 020000 020000 00 0620${SIGNATURE}`));
  expect(macaroon).toEqual({
    identifier: Buffer.alloc(0),
    caveats: [Buffer.alloc(0)],
    signature: Buffer.from(SIGNATURE, "hex"),
  });
});
