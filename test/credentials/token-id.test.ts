import { expect, test } from "@jest/globals";
import { createTokenId, isTokenIdOf } from "../../src/credentials/token-id.js";

const SEED = Buffer.alloc(32, 1);
const OTHER_SEED = Buffer.alloc(32, 2);
const RANDOM = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
const TIME_MS = Date.UTC(2026, 0, 1);

test("a token id is a UUID of version 7 that belongs to one seed", () => {
  const id = createTokenId(TIME_MS, RANDOM, SEED);
  expect(id).toMatch(/^019b76da-a800-7607-8809-0a[0-9a-f]{10}$/);
  expect(isTokenIdOf(id, SEED)).toBe(true);
  expect(isTokenIdOf(id, OTHER_SEED)).toBe(false);
});

test("every byte of it counts", () => {
  const id = createTokenId(TIME_MS, RANDOM, SEED);
  for (const [index, character] of [...id].entries()) {
    if (character === "-") continue;
    const changed = `${id.slice(0, index)}${character === "0" ? "1" : "0"}${id.slice(index + 1)}`;
    expect(isTokenIdOf(changed, SEED)).toBe(false);
  }
});

test.each(["", "x", createTokenId(TIME_MS, RANDOM, SEED).toUpperCase(), `${createTokenId(TIME_MS, RANDOM, SEED)}0`])(
  "%j is none",
  (text) => expect(isTokenIdOf(text, SEED)).toBe(false),
);
