/** docs/clients/: every block of the pages is run, and so are their programs while the service behind them is replaced. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Reason } from "../../src/errors.js";
import { codeName } from "../../src/server/error-map.js";
import { eventually } from "../e2e/eventually.js";
import { startTestServer } from "../e2e/server.js";
import { createTestCertificates, hasOpenssl } from "../e2e/test-certificates.js";
import { readRepositoryFile } from "../structure/repository.js";
import { CLIENT_PAGES, findProblem } from "./client-pages.js";
import { readSteps } from "./page-steps.js";
import { ReplaceableService } from "./replaceable-service.js";
import { PAGE_TIMEOUT_MS, runPage } from "./run-page.js";
import { ShopProcess } from "./shop-process.js";

/** What pages take from the folder that they are read in: stubs and definitions. */
const BESIDE = ["gen", "proto"];
const run = promisify(execFile);
const PINGS = 1_000;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NPM_PACKAGE = / (@?[a-z][a-z0-9/-]+)@(\d[\d.]+)/g;

const RAW_KEY = "shop-4711";
const ORDERS = { status: 200, body: { actor_id: "me", orders: [] } };
const UNKNOWN = { status: 401, body: { status: 401, error: "the credential is unknown" } };
const NOBODY_CAN_TELL = { status: 503, body: { status: 503, error: "keys cannot be verified now" } };
/** Requests under way at once. */
const CALLERS = 16;
/** One breaks few calls, or none. */
const REPLACEMENTS = 15;
/** Attempts to connect that take longer than attempts at a call, and less than its deadline. */
const TRIES = 5;

const pages = await Promise.all(CLIENT_PAGES.map(async (page) => ({ ...page, problem: await findProblem(page) })));

test("the pages have the packages of npm that this repository has", () => {
  const { dependencies, devDependencies } = JSON.parse(readRepositoryFile("package.json"));
  const versions: Readonly<Record<string, string>> = { ...dependencies, ...devDependencies };
  const named = CLIENT_PAGES.flatMap(({ page }) => [...readRepositoryFile(page).matchAll(NPM_PACKAGE)]);
  const shown = Object.fromEntries(named.map(([, name = "", version]) => [name, version]));
  expect(Object.keys(shown)).toHaveLength(5);
  expect(shown).toEqual(Object.fromEntries(Object.keys(shown).map((name) => [name, versions[name]])));
});

test("docs/clients/README.md has the codes of the reasons to try again for", () => {
  const rows = [...readRepositoryFile("docs/clients/README.md").matchAll(/^\| `([A-Z_]+)` +\| `([A-Z_]+)`/gm)];
  const shown = rows.map(([, code, reason]) => ({ code, reason }));
  expect(shown).toHaveLength(4);
  expect(shown).toEqual(shown.map(({ reason }) => ({ code: codeName(reason as Reason), reason })));
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
  const steps = readSteps(readRepositoryFile(page));
  const skipped = problem === undefined ? "" : `, skipped: ${problem}`;
  const testHere = problem === undefined ? test : test.skip;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-client-"));
    for (const name of BESIDE) symlinkSync(join(ROOT, name), join(folder, name));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("shows what comes of its steps", () => {
    expect(steps.filter((step) => step.shown !== undefined).length).toBeGreaterThanOrEqual(4);
  });

  testHere(
    `goes as it is shown${skipped}`,
    async () => expect(await runPage(steps, { folder, hasService: true })).toEqual(steps),
    PAGE_TIMEOUT_MS,
  );

  if (shop === undefined) return;
  testHere(
    `its program loses no request while services are replaced and cut off, and without one lets nobody in${skipped}`,
    async () => {
      const service = await ReplaceableService.start(RAW_KEY);
      const tokenFile = join(folder, "verifier-token");
      writeFileSync(tokenFile, service.tokens.verifier);
      const { command } = shop;
      const process = await ShopProcess.start({
        command,
        folder: join(folder, shop.folder),
        service: service.address,
        tokenFile,
      });
      try {
        const served = () => process.ask(RAW_KEY).then(({ status }) => status === ORDERS.status || undefined);
        await eventually("the shop to serve", () => served().catch(() => undefined)); // it may not listen yet

        const answers: unknown[] = [];
        let isOver = false;
        const callers = Array.from({ length: CALLERS }, async () => {
          while (!isOver) answers.push(await process.ask(RAW_KEY).catch(String));
        });
        for (let count = 0; count < REPLACEMENTS; count += 1) {
          await service.replace();
          const enough = answers.length + CALLERS;
          await eventually("answers of the next service", () => answers.length >= enough || undefined);
        }
        isOver = true;
        await Promise.all(callers);
        expect(answers.filter((answer) => JSON.stringify(answer) !== JSON.stringify(answers[0]))).toEqual([]);
        expect(answers[0]).toEqual(ORDERS);

        await service.replace(); // its log begins anew
        expect(await process.ask(RAW_KEY)).toEqual(ORDERS);
        const askAll = () => Promise.all(Array.from({ length: CALLERS }, () => process.ask(RAW_KEY)));
        const answersAgain = await service.loseAnswers(CALLERS, askAll);
        expect(answersAgain).toEqual(Array.from({ length: CALLERS }, () => ORDERS));
        expect(await service.interrupt(TRIES, () => process.ask(RAW_KEY))).toEqual(ORDERS);

        await service.withdraw();
        expect(await process.ask(RAW_KEY)).toEqual(NOBODY_CAN_TELL);
        await service.replace();
        await eventually("the shop to serve again", served);
        expect(await process.ask("shop-4712")).toEqual(UNKNOWN);
        expect(await process.stop()).toBe(0);
      } finally {
        process.kill();
        await service.dispose();
      }
    },
    PAGE_TIMEOUT_MS,
  );

  const opensslMissing = hasOpenssl() ? "" : ", skipped: put openssl on the PATH to run it";
  (opensslMissing === "" ? testHere : test.skip)(
    `its program speaks TLS${skipped || opensslMissing}`,
    async () => {
      const { serverCertFile, serverKeyFile, caFile } = createTestCertificates(folder);
      const server = await startTestServer({
        env: { LATCHKEY_SERVER_TLS_CERT_FILE: serverCertFile, LATCHKEY_SERVER_TLS_KEY_FILE: serverKeyFile },
      });
      try {
        const tokenFile = join(folder, "issuer-token");
        writeFileSync(tokenFile, server.tokens.admin);
        const [program, ...words] = shop.command;
        const { stdout } = await run(program, [...words, "issue", "billing"], {
          cwd: join(folder, shop.folder),
          // Nothing else, since there are more variables that name authorities.
          env: {
            PATH: process.env.PATH,
            LATCHKEY_ENDPOINT: server.url,
            TOKEN_FILE: tokenFile,
            [shop.authorities]: caFile,
          },
        });
        expect(JSON.parse(stdout)).toEqual({ key_id: expect.any(String), secret: expect.stringMatching(/^lk_v1_/) });
      } finally {
        await server.close();
      }
    },
    PAGE_TIMEOUT_MS,
  );
});
