import { describe, expect, test } from "@jest/globals";
import { createUuidV7, parseUuid, uuidFromBytes, uuidToBytes } from "../../src/credentials/uuid.js";

describe("UUIDs", () => {
  test("version 7 is made as in the example of RFC 9562 appendix A.6", () => {
    const random = Buffer.from("0000000000000cc398c4dc0c0c07398f", "hex");
    expect(createUuidV7(0x017f22e279b0, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  test("of a later time sort after those of an earlier one", () => {
    const ones = Buffer.alloc(16, 0xff);
    const zeros = Buffer.alloc(16, 0);
    expect(createUuidV7(1_700_000_000_000, ones) < createUuidV7(1_700_000_000_001, zeros)).toBe(true);
  });

  test("are read in any case and written in lower case", () => {
    expect(parseUuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  test.each([
    "",
    "017f22e279b07cc398c4dc0c0c07398f",
    "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
  ])("are nothing else: %j", (text) => expect(parseUuid(text)).toBeUndefined());

  test("become bytes and text again", () => {
    const text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    expect(uuidFromBytes(uuidToBytes(text))).toBe(text);
  });
});
