import { NIL_TENANT_ID } from "../../src/domain/context.js";
import type { KeyStore, ListQuery } from "../../src/store/key-store.js";
import { openMongoStore } from "../../src/store/mongo/open-mongo-store.js";
import { callForAWhile } from "../call-for-a-while.js";
import { ONE_ACTOR } from "../filled-store.js";
import { PAGE_SIZE } from "../load/page-load.js";
import type { Mongo } from "../mongo.js";
import type { Options } from "../options.js";
import { type Measured, plainRow } from "../table.js";

const MS_PER_SECOND = 1_000;
/** Of one page. */
const TIMEOUT_MS = 60_000;

const ALL: ListQuery = { tenantId: NIL_TENANT_ID, kind: "issued", limit: PAGE_SIZE };

interface Page {
  readonly name: string;
  readonly query: ListQuery;
  /** From 1. */
  readonly number: number;
}

const PAGES: readonly Page[] = [
  { name: "page 1 of 200,000 keys", query: ALL, number: 1 },
  { name: "page 3 of 200,000 keys", query: ALL, number: 3 },
  { name: "page 1 of an actor's 500 of 200,000 keys", query: { ...ALL, actorId: ONE_ACTOR }, number: 1 },
];

/**
 * The time that the store takes for pages of 50, one after the other. A server that sorts what MongoDB reads in the order of an
 * index says nothing about that: no target. Not over REST, where a page ends early when it takes long.
 */
export async function benchMongoLists(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri } = await mongo.filled(say);
  const store = await openMongoStore({ uri, timeoutMs: TIMEOUT_MS });
  try {
    const rows: Measured[] = [];
    for (const page of PAGES) {
      const query = await findPage(store, page);
      const perSecond = await callForAWhile(1, options.seconds, async () => {
        const { records } = await store.list(query);
        if (records.length !== PAGE_SIZE) throw new Error(`${page.name} has ${records.length} keys`);
        return true;
      });
      rows.push(plainRow(`list ${page.name} by the store, one caller, ms`, MS_PER_SECOND / perSecond));
    }
    return rows;
  } finally {
    await store.close();
  }
}

/** The query of a page, after those before it. */
async function findPage(store: KeyStore, { name, query, number }: Page): Promise<ListQuery> {
  let found = query;
  for (let at = 1; at < number; at += 1) {
    const { end } = await store.list(found);
    if (end === undefined) throw new Error(`${name}: the list ends with page ${at}`);
    found = { ...query, after: end };
  }
  return found;
}
