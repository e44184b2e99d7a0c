/** docs/clients/: every block of the pages is run, and so are their programs while the service behind them is restarted. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findPort } from "../../src/cli/find-port.js";
import type { ChildService } from "../e2e/child-service.js";
import { eventually } from "../e2e/eventually.js";
import { startProxy } from "../e2e/proxy.js";
import { startTestServer } from "../e2e/server.js";
import { readRepositoryFile } from "../structure/repository.js";
import { CLIENT_PAGES, findProblem } from "./client-pages.js";
import { ClientReader } from "./client-reader.js";
import { readPage, readSteps } from "./readme-blocks.js";

const run = promisify(execFile);
const TIMEOUT_MS = 300_000;
/** Requests under way at once while the service is restarted. */
const CALLERS = 4;
/** So many more answers are the work of what is there now. */
const ANSWERS = 50;
const PINGS = 1_000;
const NPM_PACKAGE = / (@?[a-z][a-z0-9/-]+)@(\d[\d.]+)/g;

const pages = await Promise.all(CLIENT_PAGES.map(async (page) => ({ ...page, problem: await findProblem(page) })));

test("the pages have the packages of npm that this repository has", () => {
  const { dependencies, devDependencies } = JSON.parse(readRepositoryFile("package.json"));
  const versions: Readonly<Record<string, string>> = { ...dependencies, ...devDependencies };
  const named = CLIENT_PAGES.flatMap(({ page }) => [...readPage(page).matchAll(NPM_PACKAGE)]);
  const shown = Object.fromEntries(named.map(([, name = "", version]) => [name, version]));
  expect(Object.keys(shown)).toHaveLength(6);
  expect(shown).toEqual(Object.fromEntries(Object.keys(shown).map((name) => [name, versions[name]])));
});

test("what docs/clients/README.md says of connections", async () => {
  const server = await startTestServer();
  try {
    const session = connect(server.url);
    await once(session, "remoteSettings");
    expect(session.remoteSettings.maxConcurrentStreams).toBe(256);
    for (let count = 0; count < PINGS; count += 1) {
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error ? reject(error) : resolve()));
      });
    }
    expect(session.closed).toBe(false);
    session.close();
  } finally {
    await server.close();
  }
});

describe.each(pages)("$page", ({ page, shop, problem }) => {
  const steps = readSteps(readPage(page));
  const skipped = problem === undefined ? "" : `, skipped: ${problem}`;
  const testHere = problem === undefined ? test : test.skip;
  let reader: ClientReader;

  beforeAll(async () => {
    if (problem === undefined) reader = await ClientReader.start();
  }, TIMEOUT_MS);
  afterAll(() => reader?.stop());

  test("shows what comes of its steps", () => {
    expect(steps.filter((step) => "expected" in step).length).toBeGreaterThanOrEqual(4);
  });

  testHere(`goes as it is shown${skipped}`, async () => expect(await reader.take(steps)).toEqual(steps), TIMEOUT_MS);

  if (shop === undefined) return;
  testHere(
    `its program gets through a restart of the service, and without a service lets nobody in${skipped}`,
    async () => {
      const [first, second, third] = reader.services;
      const proxy = await startProxy(await addressOf(first));
      const options = { cwd: join(reader.folder, shop.folder), env: reader.environment(proxy.address) };
      const [program, ...words] = shop.command;
      const { stdout } = await run(program, [...words, "issue", "restarts"], options);
      const { secret } = JSON.parse(stdout);

      const address = `127.0.0.1:${await findPort({ host: "127.0.0.1", port: 0 })}`;
      const child = spawn(program, [...words, "serve", address], { ...options, stdio: "ignore" });
      const ended = once(child, "exit");
      const ask = () => fetch(`http://${address}/orders`, { headers: { authorization: `Bearer ${secret}` } });
      /** 0: no answer. */
      const status = async () => (await ask().catch(() => undefined))?.status ?? 0;
      const served = async () => (await status()) === 200 || undefined;
      try {
        await eventually("the shop to serve", served);

        // A rolling restart: the next one is ready and gets what is new before the first one is told to stop.
        const statuses: number[] = [];
        const moreAnswers = () => {
          const count = statuses.length + ANSWERS;
          return eventually(`${count} answers`, () => statuses.length >= count || undefined);
        };
        let isOver = false;
        const callers = Array.from({ length: CALLERS }, async () => {
          while (!isOver) statuses.push(await status());
        });
        try {
          await moreAnswers();
          proxy.redirect(await addressOf(second));
          first.kill("SIGTERM");
          expect(await first.ended).toEqual({ code: 0, signal: null });
          await moreAnswers();
        } finally {
          isOver = true;
          await Promise.all(callers);
        }
        expect([...new Set(statuses)]).toEqual([200]);

        second.kill("SIGTERM");
        await second.ended;
        const refusal = await ask();
        expect(refusal.status).toBe(503);
        expect(await refusal.json()).toEqual({ status: 503, error: "keys cannot be verified now" });
        proxy.redirect(await addressOf(third));
        await eventually("the shop to serve again", served);

        child.kill("SIGTERM");
        expect(await ended).toEqual([0, null]);
      } finally {
        child.kill("SIGKILL");
        await proxy.close();
      }
    },
    TIMEOUT_MS,
  );
});

async function addressOf(service: ChildService): Promise<string> {
  return new URL(await service.ready()).host;
}
