import { expect, test } from "@jest/globals";
import { PageTime } from "../../src/domain/page-time.js";

test("a page is over after half a second", () => {
  let now = 1_000;
  const pageTime = new PageTime(() => now);
  now = 1_499;
  expect(pageTime.isOver()).toBe(false);
  now = 1_500;
  expect(pageTime.isOver()).toBe(true);
});

test("waiting for others is not counted", async () => {
  let now = 0;
  const pageTime = new PageTime(() => now);
  now = 300;
  const waiting = pageTime.waitFor(Promise.resolve("found"));
  now = 2_000;
  expect(await waiting).toBe("found");
  now = 2_199;
  expect(pageTime.isOver()).toBe(false);
  now = 2_200;
  expect(pageTime.isOver()).toBe(true);
});

test("others come in between when five milliseconds of work are over, and not before", async () => {
  let now = 0;
  let turns = 0;
  const pageTime = new PageTime(() => now);
  const count = () => {
    turns += 1;
  };
  for (const [time, expected] of [
    [4, 0],
    [5, 1],
    [9, 1],
    [10, 2],
  ] as const) {
    now = time;
    const immediate = setImmediate(count);
    await pageTime.pause();
    clearImmediate(immediate);
    expect(turns).toBe(expected);
  }
});
