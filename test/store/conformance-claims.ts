import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyStore } from "../../src/store/key-store.js";
import type { StoreFixture } from "./conformance.js";

const HANDLES = 4;
const CALLS_PER_HANDLE = 10;

export function describeClaims(store: () => KeyStore, fixture: () => StoreFixture): void {
  const randomValue = () => new Uint8Array(randomBytes(32));

  describe("claim", () => {
    test("stores the first value, and answers it for good", async () => {
      const name = randomUUID();
      const value = randomValue();
      expect(await store().claim(name, value)).toEqual(value);
      expect(await store().claim(name, randomValue())).toEqual(value);
      expect(await store().claim(name, value)).toEqual(value);
    });

    test("keeps names apart", async () => {
      const name = randomUUID();
      const values = [randomValue(), randomValue(), randomValue()] as const;
      expect(await store().claim(name, values[0])).toEqual(values[0]);
      expect(await store().claim(`${name}2`, values[1])).toEqual(values[1]);
      expect(await store().acquireLease(`${name}3`, "holder", 1000)).toBe(true);
      expect(await store().claim(`${name}3`, values[2])).toEqual(values[2]);
      expect(await store().claim(name, values[1])).toEqual(values[0]);
    });

    test("answers bytes that are the caller's own, and stores no more than a view shows", async () => {
      const name = randomUUID();
      const bytes = new Uint8Array([0, 1, 0, 255, 5]);
      const answers = [await store().claim(name, bytes.subarray(1, 4)), await store().claim(name, bytes)];
      bytes.fill(7);
      for (const answer of answers) {
        expect(answer.constructor).toBe(Uint8Array);
        expect([...answer]).toEqual([1, 0, 255]);
        answer.fill(9);
      }
      expect([...(await store().claim(name, bytes))]).toEqual([1, 0, 255]);
    });

    test("an empty value is a value", async () => {
      const name = randomUUID();
      expect(await store().claim(name, new Uint8Array())).toEqual(new Uint8Array());
      expect(await store().claim(name, randomValue())).toEqual(new Uint8Array());
    });

    test("of many callers on several handles all get the same, which one of them brought", async () => {
      const name = randomUUID();
      const handles = await Promise.all(Array.from({ length: HANDLES }, () => fixture().open()));
      const callers = handles.flatMap((handle) => Array.from({ length: CALLS_PER_HANDLE }, () => handle));
      const values = callers.map(randomValue);
      const answers = await Promise.all(values.map((value, index) => callers[index]?.claim(name, value)));
      expect(values).toContainEqual(answers[0]);
      expect(answers).toEqual(answers.map(() => answers[0]));
      await Promise.all(handles.map((handle) => handle.close()));
      const later = await fixture().open();
      expect(await later.claim(name, randomValue())).toEqual(answers[0]);
      await later.close();
    });
  });
}
