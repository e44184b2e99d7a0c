import { describe, expect, test } from "@jest/globals";
import { BoundedMap } from "../../src/credentials/bounded-map.js";

/** What is still known of these credentials. */
function known(remembered: BoundedMap<string, number>, ...credentials: string[]): (number | undefined)[] {
  return credentials.map((credential) => remembered.get(credential));
}

describe("facts about credentials", () => {
  test("are known from when they are set, and may be set again", () => {
    const remembered = new BoundedMap<string, number>(3);
    expect(known(remembered, "a")).toEqual([undefined]);
    remembered.set("a", 1);
    remembered.set("b", 2);
    remembered.set("a", 3);
    expect(known(remembered, "a", "b", "A", "")).toEqual([3, 2, undefined, undefined]);
  });

  test("are at most so many: the oldest is forgotten", () => {
    const remembered = new BoundedMap<string, number>(3);
    for (const [index, credential] of ["a", "b", "c", "d"].entries()) remembered.set(credential, index);
    expect(known(remembered, "a", "b", "c", "d")).toEqual([undefined, 1, 2, 3]);
    remembered.set("e", 4);
    expect(known(remembered, "a", "b", "c", "d", "e")).toEqual([undefined, undefined, 2, 3, 4]);
  });

  test("that are set again put none out, when there is no room either", () => {
    const remembered = new BoundedMap<string, number>(2);
    remembered.set("a", 1);
    remembered.set("b", 2);
    for (let time = 0; time < 5; time++) remembered.set("b", 3);
    expect(known(remembered, "a", "b")).toEqual([1, 3]);
  });

  test("are told apart also where credentials are long and alike", () => {
    const remembered = new BoundedMap<string, number>(3);
    const long = "x".repeat(16_000);
    remembered.set(`${long}1`, 1);
    remembered.set(`${long}2`, 2);
    expect(known(remembered, `${long}1`, `${long}2`, long)).toEqual([1, 2, undefined]);
  });
});
