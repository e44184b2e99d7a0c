import { beforeEach, describe, expect, test } from "@jest/globals";
import { GatheredReads } from "../../src/store/mongo/gathered-reads.js";
import { eventually } from "../e2e/eventually.js";

/** A read in one go that was sent. */
interface Sent {
  readonly names: readonly string[];
  /** Answers with what is there: `<name>!`, but for those that are `missing`. */
  answer(...missing: string[]): void;
  fail(error: Error): void;
}

/** How long callers wait, where they are not to give up, and where they are. */
const LONG_MS = 60_000;
const SHORT_MS = 50;

let sent: Sent[];
let reads: GatheredReads<string>;
beforeEach(() => {
  sent = [];
  reads = createReads(LONG_MS);
});

function createReads(timeoutMs: number): GatheredReads<string> {
  return new GatheredReads(
    (names) =>
      new Promise((resolve, reject) => {
        const answer = (...missing: string[]) => {
          const there = names.filter((name) => !missing.includes(name));
          resolve(new Map(there.reverse().map((name) => [name, `${name}!`])));
        };
        sent.push({ names, answer, fail: reject });
      }),
    timeoutMs,
  );
}

/** Until everything that can go on by itself has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function namesOf(count: number, prefix = "n"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function sentAt(index: number): Sent {
  const one = sent[index];
  if (one === undefined) throw new Error(`nothing was sent as number ${index}`);
  return one;
}

test("a single read is sent at once", async () => {
  const found = reads.read("a");
  await settled();
  expect(sent.map(({ names }) => names)).toEqual([["a"]]);
  sentAt(0).answer();
  expect(await found).toBe("a!");
});

test("what is asked for at the same time is read in one go, in order, and each gets its own", async () => {
  const found = Promise.all(["c", "a", "missing", "b"].map((name) => reads.read(name)));
  await settled();
  expect(sent.map(({ names }) => names)).toEqual([["c", "a", "missing", "b"]]);
  sentAt(0).answer("missing");
  expect(await found).toEqual(["c!", "a!", undefined, "b!"]);
});

test("a name that waits already is read once", async () => {
  const found = Promise.all(["a", "b", "a", "a"].map((name) => reads.read(name)));
  await settled();
  expect(sent.map(({ names }) => names)).toEqual([["a", "b"]]);
  sentAt(0).answer();
  expect(await found).toEqual(["a!", "b!", "a!", "a!"]);
});

test("a read that was sent is not joined", async () => {
  const first = reads.read("a");
  await settled();
  const second = reads.read("a");
  await settled();
  expect(sent.map(({ names }) => names)).toEqual([["a"], ["a"]]);
  sentAt(1).answer("a");
  expect(await second).toBeUndefined();
  sentAt(0).answer();
  expect(await first).toBe("a!");
});

test("two are in flight at most; what waits meanwhile goes in one, the longest waiting first", async () => {
  const early = ["a", "b"].map(async (name) => {
    if (name === "b") await settled();
    return reads.read(name);
  });
  await settled();
  await settled();
  const late: Promise<string | undefined>[] = [];
  for (const name of namesOf(5)) {
    late.push(reads.read(name));
    await settled();
  }
  expect(sent.map(({ names }) => names)).toEqual([["a"], ["b"]]);
  sentAt(1).answer();
  await settled();
  expect(sent.map(({ names }) => names)).toEqual([["a"], ["b"], namesOf(5)]);
  sentAt(0).answer();
  sentAt(2).answer();
  expect(await Promise.all([...early, ...late])).toEqual(["a!", "b!", ...namesOf(5).map((name) => `${name}!`)]);
  await settled();
  expect(sent.length).toBe(3);
});

test("more than a thousand go in two", async () => {
  const names = namesOf(2_300);
  const found = Promise.all(names.map((name) => reads.read(name)));
  await settled();
  expect(sent.map((one) => one.names)).toEqual([names.slice(0, 1_000), names.slice(1_000, 2_000)]);
  sentAt(0).answer();
  await settled();
  expect(sentAt(2).names).toEqual(names.slice(2_000));
  sentAt(1).answer();
  sentAt(2).answer();
  expect(await found).toEqual(names.map((name) => `${name}!`));
});

describe("a failure", () => {
  test("reaches all that were read with it, and nobody else", async () => {
    const together = ["a", "b", "a"].map((name) => reads.read(name));
    await settled();
    const alone = reads.read("a");
    await settled();
    const error = new Error("the connection is gone");
    sentAt(0).fail(error);
    const settledReads = await Promise.allSettled(together);
    expect(settledReads).toEqual(Array(3).fill({ status: "rejected", reason: error }));
    sentAt(1).answer();
    expect(await alone).toBe("a!");
  });

  test("makes room for the next", async () => {
    for (const name of ["a", "b"]) {
      reads.read(name).catch(() => {});
      await settled();
    }
    const next = reads.read("c");
    for (const one of [sentAt(0), sentAt(1)]) one.fail(new Error("gone"));
    await settled();
    sentAt(2).answer();
    expect(await next).toBe("c!");
  });
});

describe("while the server hangs", () => {
  const UNAVAILABLE = { reason: "UNAVAILABLE" };
  /** Two reads in one go that are not answered yet. */
  async function hang(): Promise<void> {
    for (const name of ["first", "second"]) {
      void reads.read(name).catch(() => {});
      await settled();
    }
  }

  test("what nobody waits for any more is not sent when it is back", async () => {
    reads = createReads(SHORT_MS);
    await hang();
    const startMs = performance.now();
    const abandoned = namesOf(5_000).map((name) => reads.read(name));
    const refused = Promise.all(abandoned.map((read) => expect(read).rejects.toMatchObject(UNAVAILABLE)));
    await eventually("the callers to give up", () => performance.now() > startMs + 2 * SHORT_MS || undefined);
    const late = reads.read("late");
    sentAt(0).answer();
    await settled();
    expect(sentAt(2).names).toEqual(["late"]);
    sentAt(2).answer();
    expect(await late).toBe("late!");
    await refused;
  });

  test("so many wait, and no more", async () => {
    await hang();
    const waiting = namesOf(10_000).map((name) => reads.read(name).catch((error: unknown) => error));
    await expect(reads.read("one more")).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: "too many reads wait for the key store",
    });
    const joined = reads.read("n0");
    sentAt(0).fail(new Error("gone"));
    await settled();
    sentAt(2).answer();
    expect(await joined).toBe("n0!");
    expect(waiting).toHaveLength(10_000);
  });
});
