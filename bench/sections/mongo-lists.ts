import { callForAWhile } from "../call-for-a-while.js";
import { ONE_ACTOR } from "../filled-store.js";
import { findPage, type PageLoad } from "../load/page-load.js";
import { type Mongo, NO_CACHE } from "../mongo.js";
import type { Options } from "../options.js";
import { type Measured, plainRow } from "../table.js";
import { withServers } from "../with-servers.js";

const MS_PER_SECOND = 1_000;
/** Of one page; the test server sorts all keys for it. */
const ENV = { ...NO_CACHE, LATCHKEY_STORE_MONGODB_TIMEOUT: "30s" };

const PAGES: readonly PageLoad[] = [
  { name: "page 1 of 200,000 keys" },
  { name: "page 3 of 200,000 keys", page: 3 },
  { name: "page 1 of an actor's 500 of 200,000 keys", filter: `actor_id="${ONE_ACTOR}"` },
];

/** The time of pages of 50, one after the other. A test server that does not sort by an index says nothing about MongoDB: no target. */
export async function benchMongoLists(
  options: Options,
  say: (text: string) => void,
  mongo: Mongo,
): Promise<Measured[]> {
  const { uri } = await mongo.filled(say);
  return withServers({ ...options, ...mongo.serviceOn(uri, ENV) }, async ({ service }) => {
    const rows: Measured[] = [];
    for (const page of PAGES) {
      const { getPage } = await findPage(service, page);
      const perSecond = await callForAWhile(1, options.seconds, async () => {
        await getPage();
        return true;
      });
      rows.push(plainRow(`list ${page.name} over REST, one caller, ms`, MS_PER_SECOND / perSecond));
    }
    return rows;
  });
}
