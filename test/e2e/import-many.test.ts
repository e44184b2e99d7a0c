/**
 * Imports of many keys as a real process, which is killed twice, stopped once and has little memory. `LATCHKEY_TEST_IMPORT_KEYS` says how many
 * keys go into the embedded store.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { eventually } from "./eventually.js";
import { LatchkeyProcess, runLatchkey } from "./latchkey-process.js";
import { adminTokens, randomTokens } from "./server.js";

const EMBEDDED_KEYS = Number(process.env.LATCHKEY_TEST_IMPORT_KEYS ?? 20_000);
/** The test server is slow. */
const MONGO_KEYS = 12_000;
const TIMEOUT_MS = 300_000;
/** Enough for the process whatever it imports: it takes 20. With 100,000 rows held it would take 80. */
const MAX_HEAP_MIB = 48;
/** One row in so many has a cell too few, and one a scope that is too long. */
const SHORT_EVERY = 1_000;
const REFUSED_EVERY = 997;
const LONG_SCOPE = "s".repeat(256);
const NOTE = "n".repeat(100);
const PAGE_KEYS = 1_000;
const INTERRUPTED =
  /^latchkey: \S+\.csv: interrupted when \d+ rows were done: the same command goes on where this one ended\n$/;

const mongo = await mongoTestUri();
const parent = mkdtempSync(join(tmpdir(), "latchkey-import-many-"));
afterAll(async () => {
  rmSync(parent, { recursive: true });
  await mongo?.dispose();
});

function rowOf(index: number): string {
  const cells = [`legacy-key-${index}`, `${index} ${NOTE}`, "shop", isRefused(index) ? LONG_SCOPE : "read", "gold"];
  return `${(isShort(index) ? cells.slice(0, 2) : cells).join(",")}\n`;
}

const isShort = (index: number) => index % SHORT_EVERY === 1;
const isRefused = (index: number) => index % REFUSED_EVERY === 2;
const isFailure = (index: number) => isShort(index) || isRefused(index);

/** Ends an import when so many rows are done. */
async function endAt(rows: number, signal: NodeJS.Signals, file: string, env: Readonly<Record<string, string>>) {
  const state = `${file}.failures.jsonl.state`;
  const running = new LatchkeyProcess(["keys", "import-file", file], env);
  const isThere = () => (existsSync(state) && JSON.parse(readFileSync(state, "utf8")).rows >= rows) || undefined;
  const ended = running.ended.then(() => {
    throw new Error(`it ended instead:\n${running.stderr}`);
  });
  await Promise.race([ended, eventually(`${rows} rows to be done`, isThere, TIMEOUT_MS)]);
  ended.catch(() => {}); // by this:
  running.kill(signal);
  const code = await running.ended;
  return { code, stderr: running.stderr };
}

/** The numbers in the names of all imported keys. */
async function importedIndexes(api: Api): Promise<number[]> {
  const indexes: number[] = [];
  let token = "";
  do {
    const page = await api.listImported({ page_size: PAGE_KEYS, page_token: token });
    for (const { name } of page.imported_api_keys) indexes.push(Number.parseInt(name, 10));
    token = page.next_page_token;
  } while (token !== "");
  return indexes.sort((a, b) => a - b);
}

function testImport(store: string, keys: number, storeEnv: Readonly<Record<string, string>>): void {
  test(
    `${keys} keys into ${store}: killed, stopped and done again, the set is exact, and so is what it says`,
    async () => {
      const tokens = randomTokens();
      const file = join(parent, `${store}.csv`);
      const failures = `${file}.failures.jsonl`;
      const indexes = Array.from({ length: keys }, (_, index) => index);
      writeFileSync(file, `raw_key,name,actor_id,scopes,metadata.plan\n${indexes.map(rowOf).join("")}`);
      const service = new ChildService({
        env: {
          LATCHKEY_ADMIN_TOKENS: adminTokens(tokens),
          LATCHKEY_DATA_DIR: join(parent, store),
          LATCHKEY_LOG_LEVEL: "warn",
          ...storeEnv,
        },
      });
      try {
        const url = await service.ready();
        const api = new Api(createFetchRestClient(url), tokens);
        const env = {
          LATCHKEY_ENDPOINT: url,
          LATCHKEY_TOKEN: tokens.admin,
          NODE_OPTIONS: `--max-old-space-size=${MAX_HEAP_MIB}`,
        };
        expect((await endAt(1, "SIGKILL", file, env)).code).toBeNull();
        expect((await endAt(Math.floor(keys / 5), "SIGKILL", file, env)).code).toBeNull();
        const stopped = await endAt(Math.floor(keys / 3), "SIGINT", file, env);
        expect(stopped.code).toBe(1);
        expect(stopped.stderr).toMatch(INTERRUPTED);
        const failed = indexes.filter(isFailure);
        const { code, stdout, stderr } = await runLatchkey(["keys", "import-file", file], env);
        expect({ code, stdout }).toEqual({ code: 1, stdout: `imported ${keys - failed.length} keys\n` });
        const [, resumedAt] = /^went on after (\d+) rows of an earlier run\n/.exec(stderr) ?? [];
        expect(Number(resumedAt)).toBeGreaterThanOrEqual(Math.floor(keys / 3));
        expect(stderr).toContain(`\nlatchkey: ${file}: ${failed.length} of ${keys} rows were not imported`);
        expect(await importedIndexes(api)).toEqual(indexes.filter((index) => !isFailure(index)));

        const lines = readFileSync(failures, "utf8").trimEnd().split("\n");
        const refused = lines.map((line) => JSON.parse(line));
        expect(refused.map(({ raw_key }) => raw_key)).toEqual(failed.map((index) => `legacy-key-${index}`));
        const mended = refused.map((row) => ({ ...row, actor_id: "shop", scopes: ["read"] }));
        const again = join(parent, `${store}-mended.jsonl`);
        writeFileSync(again, mended.map((row) => `${JSON.stringify(row)}\n`).join(""));
        expect(await runLatchkey(["keys", "import-file", again], env)).toEqual({
          code: 0,
          stdout: `imported ${failed.length} keys\n`,
          stderr: "",
        });
        expect(await importedIndexes(api)).toEqual(indexes);
      } finally {
        await service.stop();
      }
    },
    TIMEOUT_MS,
  );
}

testImport("embedded", EMBEDDED_KEYS, {});

if (mongo === undefined) {
  describe.skip(`MongoDB, ${MONGO_SKIPPED}`, () => {
    test("the same", () => {});
  });
} else {
  testImport("mongodb", MONGO_KEYS, {
    LATCHKEY_STORE_MONGODB_URI: mongo.uri,
    LATCHKEY_STORE_MONGODB_TIMEOUT: "10s",
  });
}
