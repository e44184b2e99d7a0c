import { describe, expect, test } from "@jest/globals";
import { openPageToken, sealPageToken } from "../../src/query/page-token.js";

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;
const current = Buffer.alloc(32, 1);
const retired = Buffer.alloc(32, 2);
const keys = { current, all: [current, retired] };
const scope = ["tenant", "issued", 'actor_id="me"'];
const REFUSED = "page_token: is not a next_page_token of this list with this filter";

describe("a page token", () => {
  const token = sealPageToken("1795425417581 01a207b1", scope, keys, NOW);

  test("opens for the call it was made for, and is URL-safe", () => {
    expect(openPageToken(token, scope, keys, NOW)).toBe("1795425417581 01a207b1");
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test("shows nothing of the position, and is new each time", () => {
    expect(Buffer.from(token, "base64url").toString("latin1")).not.toContain("1795425417581");
    expect(sealPageToken("1795425417581 01a207b1", scope, keys, NOW)).not.toBe(token);
  });

  test("made with a retired secret still opens, one with an unknown secret does not", () => {
    const old = sealPageToken("x", scope, { current: retired, all: [retired] }, NOW);
    expect(openPageToken(old, scope, keys, NOW)).toBe("x");
    expect(() => openPageToken(old, scope, { current, all: [current] }, NOW)).toThrow(REFUSED);
  });

  test.each([
    ["another tenant", ["other", "issued", 'actor_id="me"']],
    ["another list", ["tenant", "imported", 'actor_id="me"']],
    ["another filter", ["tenant", "issued", 'actor_id="you"']],
    ["parts cut elsewhere", ["tenantissued", "", 'actor_id="me"']],
  ])("does not open for %s", (_, other) => {
    expect(() => openPageToken(token, other, keys, NOW)).toThrow(REFUSED);
  });

  test("lives 24 hours", () => {
    expect(openPageToken(token, scope, keys, NOW + DAY_MS - 1)).toBe("1795425417581 01a207b1");
    expect(() => openPageToken(token, scope, keys, NOW + DAY_MS)).toThrow(
      "page_token: has expired; list again from the first page",
    );
  });

  test("with any one character changed does not open", () => {
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
      expect(() => openPageToken(changed, scope, keys, NOW)).toThrow(REFUSED);
    }
  });

  test("with any one bit changed does not open, nor with a byte more", () => {
    const bytes = Buffer.from(token, "base64url");
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openPageToken(changed.toString("base64url"), scope, keys, NOW)).toThrow(REFUSED);
    }
    for (const longer of [Buffer.concat([bytes, Buffer.alloc(1)]), Buffer.concat([Buffer.of(1), bytes])]) {
      expect(() => openPageToken(longer.toString("base64url"), scope, keys, NOW)).toThrow(REFUSED);
    }
  });

  test("cut short at either end does not open", () => {
    for (let length = 0; length < token.length; length++) {
      expect(() => openPageToken(token.slice(0, length), scope, keys, NOW)).toThrow(REFUSED);
      expect(() => openPageToken(token.slice(token.length - length), scope, keys, NOW)).toThrow(REFUSED);
    }
  });

  test("is not put together from two", () => {
    const other = sealPageToken("1795425417581 01a207b2", scope, keys, NOW);
    // Nearer to the ends, the two may well be the same.
    for (let at = 12; at < token.length - 12; at++) {
      expect(() => openPageToken(token.slice(0, at) + other.slice(at), scope, keys, NOW)).toThrow(REFUSED);
    }
  });

  test.each(["", "A", "AQ", " ", "not a token", `${"A".repeat(2000)}`])("is nothing else: %j", (text) => {
    expect(() => openPageToken(text, scope, keys, NOW)).toThrow(REFUSED);
  });

  test("is one spelling only: no padding, no spaces, no other alphabet", () => {
    for (const other of [`${token}=`, `${token} `, `${token}\n`, token.replaceAll("_", "/").replaceAll("-", "+")]) {
      if (other !== token) expect(() => openPageToken(other, scope, keys, NOW)).toThrow(REFUSED);
    }
  });
});
