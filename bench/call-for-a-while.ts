/**
 * Lets callers call again and again, each when its last call was answered, until the time is over or `call` answers `false`:
 * there was nothing left to do. Answers calls per second.
 */
export async function callForAWhile(
  callers: number,
  seconds: number,
  call: (caller: number) => Promise<boolean>,
): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let calls = 0;
  const work = Array.from({ length: callers }, async (_, caller) => {
    while (performance.now() < endsAt && (await call(caller))) calls += 1;
  });
  await Promise.all(work);
  return calls / ((performance.now() - startedAt) / 1000);
}
