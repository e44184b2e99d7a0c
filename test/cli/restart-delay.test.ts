import { expect, test } from "@jest/globals";
import { restartDelayMs } from "../../src/cli/restart-delay.js";

test("doubles from 100 ms to 10 s while workers end soon, and begins again after a minute of life", () => {
  const delays: number[] = [];
  for (const lifeMs of [5_000, 0, 59_999, 10, 10, 10, 10, 10, 10, 60_000, 10]) {
    delays.push(restartDelayMs(delays.at(-1), lifeMs));
  }
  expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 100, 200]);
});
