import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeVarint, encodeVarint } from "../../src/credentials/varint.js";
import { vectors } from "./macaroon-vectors.js";

describe("a varint", () => {
  test.each(vectors.varint)("of $value is $bytes", ({ value, bytes }) => {
    expect([...encodeVarint(value)]).toEqual(bytes);
    expect(decodeVarint(Uint8Array.from(bytes), 0)).toEqual({ value, end: bytes.length });
  });

  test("of any 32 bits is read again where it stands", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.nat(3), (value, offset) => {
        const bytes = Buffer.concat([Buffer.alloc(offset, 0xff), encodeVarint(value), Buffer.alloc(2, 0x80)]);
        expect(decodeVarint(bytes, offset)).toEqual({ value, end: bytes.length - 2 });
      }),
      { seed: 1 },
    );
  });

  test.each([
    ["nothing", ""],
    ["an end inside it", "ff"],
    ["an end after four bytes", "ffffffff"],
    ["a second byte that says nothing", "8000"],
    ["a zero of five bytes", "8080808000"],
    ["33 bits", "ffffffff1f"],
    ["64 bits", "ffffffffffffffffff01"],
    ["a sixth byte", "ffffffff8f00"],
  ])("is not %s", (_, hex) => {
    expect(decodeVarint(Buffer.from(hex, "hex"), 0)).toBeUndefined();
  });

  test.each([-1, 0.5, 0x1_0000_0000, Number.NaN])("cannot say %d", (value) => {
    expect(() => encodeVarint(value)).toThrow(new RangeError(`${value} is no varint`));
  });
});
