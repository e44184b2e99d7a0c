/**
 * The bounds of DESIGN section 5, on the real cache and feed, with a simulated server, simulated clocks and networks.
 *
 * What is assumed of the world is what `polling-feed.ts` says that it cannot see: a change is visible within two seconds of its
 * stamp; a clock that was set is not set again within eight seconds, but for a tenth of a second; a machine that is suspended
 * has a wall clock that goes on, and is not set back. The property of cache.ttl is without the first two.
 *
 * Each of these was seen to fail here, within 1,200 runs, when it was taken out of the code: a poll ends the reads under way; an
 * own write does; only wide polls confirm; a wide poll looks back further, and from the poll before it; everything is dropped when the
 * clock moved, when another server answers, and when a poll cannot hold what it finds; a doubt lasts as long as a change may
 * be late; age is that of the sending, by both clocks, and is asked at use; what a fresh read has found is not unseen.
 * What needs rarer accidents fails in `cached-reads.test.ts` or `../polling-feed.test.ts`: a drop ends the reads under way, slow
 * polls confirm nothing, a poll confirms when it was sent, all is dropped once more after a doubt.
 */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Freshness } from "../../../src/store/key-store.js";
import { type Answer, type Network, QUICK_MS, SimulatedProcess } from "./simulated-process.js";
import { SimulatedServer, type Visible, type Write } from "./simulated-server.js";
import { Simulation } from "./simulation.js";

const NAMES = ["a", "b"];
const OVERLAP_MS = 5_000;
const MAX_STALENESS_MS = 5_000;
const MAX_CHANGE_MS = 2_000;
const POLL_INTERVAL_MS = 50;
/** Where it does not matter; so that a run takes a moment less. */
const RARE_POLL_INTERVAL_MS = 250;
const WIDE_INTERVAL_MS = 1_000;
/** Between two verifications of one key by one process, at most. */
const VERIFY_INTERVAL_MS = 400;
const RUN_MS = 24_000;
/** Of each property; LATCHKEY_TEST_MODEL_RUNS for more. */
const DEFAULT_RUNS = 200;
const MAX_EVENTS = 40;
const MAX_KINDS = 2;

interface Event {
  readonly atMs: number;
  readonly run: (world: World) => void;
}

interface World {
  readonly simulation: Simulation;
  readonly server: SimulatedServer;
  readonly processes: readonly SimulatedProcess[];
}

interface Rules {
  readonly ttlMs: number;
  readonly pollIntervalMs?: number;
  readonly processes?: number;
  readonly freshnesses?: Freshnesses;
}

/** Answers all verifications of a run. */
async function simulate(seed: number, events: readonly Event[], rules: Rules): Promise<Answer[]> {
  const simulation = new Simulation(seed);
  const server = new SimulatedServer(simulation, NAMES);
  const answers: Answer[] = [];
  const { ttlMs, pollIntervalMs = POLL_INTERVAL_MS } = rules;
  const { freshnesses = simulation.oneOf(CACHED, CACHED, MOSTLY_CACHED) } = rules;
  const processes = Array.from({ length: rules.processes ?? 1 }, () => {
    return new SimulatedProcess({
      simulation,
      server,
      ttlMs,
      maxStalenessMs: MAX_STALENESS_MS,
      overlapMs: OVERLAP_MS,
      pollIntervalMs,
      onAnswer: (answer) => answers.push(answer),
    });
  });
  for (const { atMs, run } of events) simulation.at(atMs, () => run({ simulation, server, processes }));
  for (const process of processes) {
    for (const name of NAMES) {
      const verify = () => {
        process.verify(name, simulation.oneOf(...freshnesses));
        simulation.at(simulation.nowMs + simulation.below(VERIFY_INTERVAL_MS), verify);
      };
      simulation.at(simulation.below(VERIFY_INTERVAL_MS), verify);
    }
  }
  await simulation.runUntil(RUN_MS);
  for (const answer of answers) histories.set(answer, server.history.get(answer.name) ?? []);
  return answers;
}

type Freshnesses = readonly [Freshness, ...Freshness[]];

/** Others than cached reads end those that are under way: in some runs there are many of them, in most there are none. */
const CACHED: Freshnesses = ["cached"];
const MOSTLY_CACHED: Freshnesses = [...CACHED, ...Array(11).fill("cached"), "fresh", "unstored"];

const histories = new WeakMap<Answer, readonly Visible[]>();

/** How long ago what was answered was last true, or 0; counted from the answer, or from the call when that is longer ago. */
function staleMs(answer: Answer): number {
  const history = histories.get(answer) ?? [];
  const { record, askedMs, answeredMs } = answer;
  const untilMs = history.flatMap(({ version, isDeleted }, index) => {
    const isAnswer = record === undefined ? isDeleted : version === record.version && !isDeleted;
    return isAnswer ? (history[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY) : [];
  });
  const lastTrueMs = Math.max(...untilMs);
  return lastTrueMs >= askedMs ? 0 : answeredMs - lastTrueMs;
}

/** What is wrong with an answer. */
function mistakeOf(answer: Answer, maxStaleMs: number): string | undefined {
  const { record, freshness, knownVersion, process } = answer;
  const isMisled = process.deposed !== undefined && answer.answeredMs >= process.deposed.fromMs;
  // Whoever talks to a deposed primary cannot know better, and not what it has learned from it later.
  if (isMisled && answer.answeredMs - MAX_STALENESS_MS <= (process.deposed?.untilMs ?? 0)) return undefined;
  const stale = staleMs(answer);
  if (record === undefined && stale > 0) return "an absence was remembered";
  if (freshness !== "cached" && stale > 0) return `a fresh answer was out of date for ${stale} ms`;
  if (stale > maxStaleMs) return `an answer was out of date for ${stale} ms`;
  if (!isMisled && record !== undefined && record.version < knownVersion)
    return "an answer was older than what was known";
  return undefined;
}

async function expectNoMistakes(
  seed: number,
  events: readonly Event[],
  rules: Rules,
  maxStaleMs: number,
): Promise<void> {
  for (const answer of await simulate(seed, events, rules)) {
    const mistake = mistakeOf(answer, maxStaleMs);
    if (mistake === undefined) continue;
    const { name, freshness, askedMs, answeredMs, record } = answer;
    const asked = `${name}, ${freshness}, asked at ${askedMs}, answered at ${answeredMs} with ${record?.version}`;
    throw new Error(`${mistake} (${asked}); it was ${JSON.stringify(histories.get(answer))}`);
  }
}

const seed = fc.integer();
const name = fc.constantFrom(...NAMES);
const process = fc.nat(1);

function eventAt<A extends object>(
  what: string,
  arbitrary: fc.Arbitrary<A>,
  run: (world: World, values: A) => void,
  time: fc.Arbitrary<number> = fc.nat(RUN_MS),
): fc.Arbitrary<Event> {
  return fc.tuple(time, arbitrary).map(([atMs, values]) => ({
    atMs,
    run: (world) => run(world, values),
    [fc.toStringMethod]: () => `${atMs}: ${what} ${JSON.stringify(values)}`,
  }));
}

/** Another one than `before`, in most cases. */
function processOf({ processes }: World, index: number): SimulatedProcess {
  return processes[index % processes.length] as SimulatedProcess;
}

function writes(maxVisibleAfterMs: number, byWhom: "anybody" | "somebody else" = "anybody"): fc.Arbitrary<Event> {
  const write = fc.constantFrom<Write>("change", "change", "delete", "import");
  const visibleAfterMs = fc.oneof(fc.nat(50), fc.nat(maxVisibleAfterMs), fc.constant(maxVisibleAfterMs));
  const isOwn = byWhom === "anybody" ? fc.boolean() : fc.constant(false);
  return eventAt("write", fc.record({ name, write, visibleAfterMs, isOwn, process }), (world, values) => {
    if (values.isOwn) processOf(world, values.process).write(values.name, values.write, values.visibleAfterMs);
    else world.server.write(values.name, values.write, values.visibleAfterMs);
  });
}

const anyDuration = fc.oneof(
  fc.nat(300),
  fc.integer({ min: 500, max: 3_000 }),
  fc.integer({ min: 3_000, max: 12_000 }),
);
const clockStep = fc.oneof(fc.integer({ min: -3_500, max: 3_500 }), fc.integer({ min: -20_000, max: 20_000 }));

/** What polls or reads go through, until the next one. */
function networkOf(what: "polls" | "reads", time?: fc.Arbitrary<number>): fc.Arbitrary<Event> {
  const network = fc.constantFrom<Network>("quick", "uneven", "uneven", "slow", "failing");
  return eventAt(
    `network of ${what}`,
    fc.record({ process, network }),
    (world, values) => {
      processOf(world, values.process).network[what] = values.network;
    },
    time,
  );
}

const networks = [networkOf("polls"), networkOf("reads")];
/** What the first process begins with, and keeps in most runs. The second one begins with quick ones. */
const anyNetwork = fc.constantFrom<Network>("quick", "uneven", "slow", "failing");
const firstNetworks = fc.record({ polls: anyNetwork, reads: anyNetwork }).map((networks): Event[] => [
  {
    atMs: 0,
    run: ({ processes: [first] }) => Object.assign(first?.network ?? {}, networks),
  },
]);
const freezes = eventAt("freeze", fc.record({ process, forMs: anyDuration }), (world, { process, forMs }) => {
  processOf(world, process).freeze(forMs);
});
/** The first process is suspended; the wall clock of the second one may be set back. */
const suspensions = eventAt("suspend", fc.record({ forMs: anyDuration }), (world, { forMs }) => {
  processOf(world, 0).suspend(forMs);
});
const wallClocks = eventAt("wall clock", fc.record({ process, byMs: clockStep }), (world, { process, byMs }) => {
  processOf(world, process).setWallClock(process === 0 ? Math.abs(byMs) : byMs);
});
const jitters = eventAt("server clock", fc.record({ byMs: fc.integer({ min: -50, max: 50 }) }), (world, { byMs }) => {
  world.server.setClock(byMs);
});
const floods = eventAt("flood", fc.record({ forMs: anyDuration }), ({ server, simulation }, { forMs }) => {
  server.isFlooded = true;
  simulation.at(simulation.nowMs + forMs, () => {
    server.isFlooded = false;
  });
});

/** A step of the server's clock, another server, or one that some processes miss at first. */
function serverStep(time: fc.Arbitrary<number>): fc.Arbitrary<Event> {
  return fc.oneof(
    eventAt("server clock", fc.record({ byMs: clockStep }), ({ server }, { byMs }) => server.setClock(byMs), time),
    eventAt("fail-over", fc.record({ byMs: clockStep }), ({ server }, { byMs }) => void server.failOver(byMs), time),
  );
}

/** At most two, eight seconds apart or more. */
const serverSteps = fc
  .tuple(
    fc.array(serverStep(fc.integer({ min: 3_000, max: 8_000 })), { maxLength: 1 }),
    fc.array(serverStep(fc.integer({ min: 16_000, max: 20_000 })), { maxLength: 1 }),
  )
  .map((steps) => steps.flat());

const deposition = eventAt(
  "deposed",
  fc.record({ byMs: fc.integer({ min: -900, max: 900 }), forMs: fc.integer({ min: 0, max: 10_000 }) }),
  ({ server, simulation, processes: [misled] }, { byMs, forMs }) => {
    const primary = server.failOver(byMs);
    if (misled !== undefined) {
      misled.deposed = { primary, fromMs: simulation.nowMs, untilMs: simulation.nowMs + forMs };
    }
  },
  fc.integer({ min: 3_000, max: 6_000 }),
);

/** Writes, and of the other kinds only some in each run: where everything happens, the cache is dropped all the time. */
function events(writes: fc.Arbitrary<Event>, ...kinds: fc.Arbitrary<Event>[]): fc.Arbitrary<Event[]> {
  return fc.subarray(kinds, { maxLength: Math.min(kinds.length, MAX_KINDS) }).chain((some) => {
    return fc.array(fc.oneof(writes, ...some), { maxLength: MAX_EVENTS, size: "max" });
  });
}

const parameters = { numRuns: Number(globalThis.process.env.LATCHKEY_TEST_MODEL_RUNS ?? DEFAULT_RUNS) };
const TEST_TIMEOUT_MS = 300_000;

describe("whatever happens", () => {
  test(
    "no answer was last true longer than cache.max_staleness ago, or after the call",
    async () => {
      const any = events(writes(MAX_CHANGE_MS), ...networks, freezes, suspensions, wallClocks, jitters, floods);
      await fc.assert(
        fc.asyncProperty(seed, any, firstNetworks, serverSteps, (seed, some, networks, steps) =>
          expectNoMistakes(
            seed,
            [...networks, ...some, ...steps],
            { ttlMs: 60_000, processes: 2, pollIntervalMs: RARE_POLL_INTERVAL_MS },
            MAX_STALENESS_MS,
          ),
        ),
        parameters,
      );
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "who took a deposed primary for the primary keeps nothing of it",
    async () => {
      await fc.assert(
        fc.asyncProperty(seed, events(writes(100, "somebody else")), deposition, (seed, some, deposed) =>
          expectNoMistakes(
            seed,
            [...some, deposed],
            { ttlMs: 60_000, pollIntervalMs: RARE_POLL_INTERVAL_MS },
            MAX_STALENESS_MS,
          ),
        ),
        parameters,
      );
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "no answer was last true longer than cache.ttl ago, however late changes are and however clocks are set",
    async () => {
      const ttlMs = 7_000;
      const any = events(
        writes(20_000),
        ...networks,
        freezes,
        suspensions,
        wallClocks,
        floods,
        serverStep(fc.nat(RUN_MS)),
      );
      await fc.assert(
        fc.asyncProperty(seed, any, (seed, some) =>
          expectNoMistakes(seed, some, { ttlMs, processes: 2, pollIntervalMs: RARE_POLL_INTERVAL_MS }, ttlMs),
        ),
        parameters,
      );
    },
    TEST_TIMEOUT_MS,
  );
});

describe("while the feed is live", () => {
  /** To the server and back, twice for a poll, and once for a read that was under way. */
  const WAY_MS = 4 * QUICK_MS;

  test(
    "a change that is visible at once is in force within two polls",
    async () => {
      await fc.assert(
        fc.asyncProperty(seed, events(writes(200, "somebody else")), (seed, some) =>
          expectNoMistakes(seed, some, { ttlMs: 60_000 }, 2 * POLL_INTERVAL_MS + WAY_MS),
        ),
        parameters,
      );
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "one that is late, within two polls after the next wide one",
    async () => {
      await fc.assert(
        fc.asyncProperty(seed, events(writes(MAX_CHANGE_MS, "somebody else")), (seed, some) =>
          expectNoMistakes(seed, some, { ttlMs: 60_000 }, WIDE_INTERVAL_MS + 2 * POLL_INTERVAL_MS + WAY_MS),
        ),
        parameters,
      );
    },
    TEST_TIMEOUT_MS,
  );

  test("a key that nobody changes is read at the start, and once the feed has settled", async () => {
    const answers = await simulate(1, [], { ttlMs: 60_000, freshnesses: ["cached"] });
    expect(answers.length).toBeGreaterThan(NAMES.length * (RUN_MS / VERIFY_INTERVAL_MS));
    expect(answers[0]?.process.reads).toBe(2 * NAMES.length);
  });
});
