/**
 * Walks through 10,000 keys while other callers create, change, revoke and delete keys: what was in a list during the whole
 * walk is seen once, what was never in it is not seen, and nothing is seen twice.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { Api, type KeyJson } from "./api.js";
import { walkPages } from "./cases/walk-pages.js";
import type { ApiClient } from "./clients/api-client.js";
import { createConnectNodeClient } from "./clients/connect-node-client.js";
import { ACTORS, type Aspect, ChangingKeys, type KnownKey } from "./list-walk-keys.js";
import { startTestServer, type TestServer, troubleIn } from "./server.js";

const KEY_COUNT = 10_000;
const TIME_LIMIT_MS = 120_000;
/** Of what is wrong: a mistake is seldom alone. */
const MAX_SHOWN = 3;

interface Walk {
  readonly filter: string;
  readonly fits: (key: KnownKey) => boolean;
  /** What the filter asks about, besides whether the key is there. */
  readonly aspects: readonly Aspect[];
  /** At least so many of the keys are in the list all the time. */
  readonly leastKeys: number;
}

const [ACTOR = ""] = ACTORS;
const WALKS: readonly Walk[] = [
  { filter: "", fits: () => true, aspects: [], leastKeys: 8_000 },
  { filter: "status=KEY_STATUS_ACTIVE", fits: ({ isActive }) => isActive, aspects: ["status"], leastKeys: 6_000 },
  { filter: `actor_id=${ACTOR}`, fits: ({ actor }) => actor === ACTOR, aspects: [], leastKeys: 4_000 },
  {
    filter: `status=KEY_STATUS_ACTIVE AND actor_id=${ACTOR}`,
    fits: ({ isActive, actor }) => isActive && actor === ACTOR,
    aspects: ["status"],
    leastKeys: 3_000,
  },
  // A key that is revoked meanwhile goes from the one to the other, and is still one key.
  {
    filter: "status=KEY_STATUS_ACTIVE OR status=KEY_STATUS_REVOKED",
    fits: () => true,
    aspects: [],
    leastKeys: 8_000,
  },
  // No index serves these two.
  { filter: "metadata.team=blue", fits: ({ team }) => team === "blue", aspects: ["team"], leastKeys: 2_000 },
  {
    filter: 'NOT (metadata.team="r*" OR status=KEY_STATUS_REVOKED)',
    fits: ({ team, isActive }) => team === "blue" && isActive,
    aspects: ["team", "status"],
    leastKeys: 1_500,
  },
];

const mongo = await mongoTestUri();

describe("on the embedded store", () => walkOn(undefined, [1_000, 17, 400, 1, 731]));

if (mongo === undefined) {
  describe.skip(`on MongoDB, ${MONGO_SKIPPED}`, () => {
    test("walks as on the embedded store", () => {});
  });
} else {
  describe("on MongoDB", () => walkOn(mongo.uri, [1_000, 517, 1_000, 731]));
  afterAll(() => mongo.dispose());
}

/** `pageSizes` are taken in turns. */
function walkOn(mongodbUri: string | undefined, pageSizes: readonly number[]): void {
  let server: TestServer;
  let client: ApiClient;
  let api: Api;
  let keys: ChangingKeys;

  beforeAll(async () => {
    server = await startTestServer({ mongodbUri });
    client = createConnectNodeClient("gRPC", "2", server.url);
    api = new Api(client, server.tokens);
    keys = new ChangingKeys(api);
    await keys.importMany(KEY_COUNT);
    keys.startWriters();
  }, TIME_LIMIT_MS);
  afterAll(async () => {
    await keys.stopWriters();
    client.close();
    await server.close();
  }, TIME_LIMIT_MS);

  test.each(WALKS)(
    "with the filter $filter",
    async ({ filter, fits, aspects, leastKeys }) => {
      await keys.everyWriterWentOn();
      const before = keys.snapshot();
      const stepsBefore = keys.steps;
      const seen = await walk(filter);
      const stepsAfter = keys.steps;
      const after = keys.snapshot();

      for (const [name, steps] of Object.entries(stepsAfter))
        expect([name, steps > (stepsBefore[name] ?? 0)]).toEqual([name, true]);
      expect(seen.length).toBeGreaterThanOrEqual(leastKeys);
      expect(outOfOrder(seen).slice(0, MAX_SHOWN)).toEqual([]);
      const counts = new Map<string, number>();
      for (const { key_id } of seen) counts.set(key_id, (counts.get(key_id) ?? 0) + 1);
      const twice = [...counts].filter(([, count]) => count > 1);
      expect(twice.slice(0, MAX_SHOWN)).toEqual([]);

      const now = new Map(after.keys.map((key) => [key.keyId, key]));
      const settled = before.keys.filter((key) => {
        const changed = now.get(key.keyId)?.changed;
        if (key.isChanging || changed === undefined) return false;
        return ["existence" as const, ...aspects].every((aspect) => changed[aspect] <= before.changes);
      });
      const expected = settled.filter((key) => key.exists && fits(key));
      expect(expected.length).toBeGreaterThanOrEqual(leastKeys);
      const wrong = settled.filter((key) => counts.has(key.keyId) !== (key.exists && fits(key)));
      expect(wrong.slice(0, MAX_SHOWN)).toEqual([]);
    },
    TIME_LIMIT_MS,
  );

  test("nothing went wrong inside", () => {
    expect(troubleIn(server.log)).toEqual([]);
  });

  /** Every caller has made a change before the next page is asked for. */
  async function walk(filter: string): Promise<readonly KeyJson[]> {
    let page = 0;
    const pages = await walkPages(async (page_token) => {
      if (page > 0) await keys.everyWriterWentOn();
      const page_size = pageSizes[page++ % pageSizes.length] ?? 0;
      const { imported_api_keys, next_page_token } = await api.listImported({ filter, page_size, page_token });
      expect(imported_api_keys.length).toBeLessThanOrEqual(page_size);
      return { keys: imported_api_keys, next_page_token };
    });
    return pages.flat();
  }
}

/** Neighbours that are in the wrong order: newest first, and those of one time by their ids. */
function outOfOrder(keys: readonly KeyJson[]): readonly (readonly [KeyJson, KeyJson])[] {
  return keys.flatMap((key, index) => {
    const next = keys[index + 1];
    if (next === undefined) return [];
    const [time, nextTime] = [Date.parse(key.create_time), Date.parse(next.create_time)];
    return time > nextTime || (time === nextTime && key.key_id < next.key_id) ? [] : [[key, next] as const];
  });
}
