import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { coalesce } from "../../src/domain/coalesce.js";

/** Work that ends when the test says so. */
function controlled() {
  const ends: ((result: number | Error) => void)[] = [];
  const run = coalesce(
    () =>
      new Promise<number>((resolve, reject) => {
        ends.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
      }),
  );
  return { run, ends };
}

test("those who ask while it runs share one more run, which begins after they asked", async () => {
  const { run, ends } = controlled();
  const first = run();
  const [second, third] = [run(), run()];
  expect(ends).toHaveLength(1);
  ends[0]?.(1);
  expect(await first).toBe(1);
  await turn();
  expect(ends).toHaveLength(2);
  const fourth = run();
  ends[1]?.(2);
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  await turn();
  expect(ends).toHaveLength(3);
  ends[2]?.(3);
  expect(await fourth).toBe(3);
});

test("a run that fails fails for those who waited for it, and for no others", async () => {
  const { run, ends } = controlled();
  const first = run();
  const second = run();
  ends[0]?.(new Error("failed"));
  await expect(first).rejects.toThrow("failed");
  await turn();
  ends[1]?.(2);
  expect(await second).toBe(2);
});
