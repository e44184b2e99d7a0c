/** A service whose terminal closes, or whose output cannot be written: real processes, at a terminal of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { findPort } from "../../src/cli/find-port.js";
import { latchkeyWords } from "../cli/run-latchkey.js";
import { hasScript } from "../is-installed.js";
import { TOOLS_REQUIRED } from "../tools-required.js";
import { BODY, beginCall } from "./begin-call.js";
import { bearer } from "./clients/api-client.js";
import { eventually } from "./eventually.js";
import { RawConnection, readHttp1Reply } from "./raw-connection.js";

const START_LIMIT_MS = 60_000;
const TIMEOUT_MS = 90_000;
/** More than are under way at the same time, so that the log has lines to write again and again. */
const CALLS = 20;
/** What a shell answers for a program that SIGHUP ended. */
const ENDED_BY_HANG_UP = "129\n";

let directory: string;
let host: string;
let child: ChildProcess;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-output-"));
  host = `127.0.0.1:${await findPort({ host: "127.0.0.1", port: 0 })}`;
});
afterEach(() => rmSync(directory, { recursive: true }));

function environment(): Readonly<Record<string, string>> {
  const { PATH = "" } = process.env;
  return { PATH, LATCHKEY_DATA_DIR: directory, LATCHKEY_SERVER_PORT: host.split(":")[1] ?? "" };
}

async function ready(): Promise<void> {
  const look = () =>
    fetch(`http://${host}/health/ready`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  await eventually("the service to be ready", look, START_LIMIT_MS);
}

function readToken(): string {
  return readFileSync(join(directory, "secrets", "admin-token"), "utf8").trim();
}

async function verify(): Promise<number> {
  const headers = { ...bearer(readToken()), "content-type": "application/json", connection: "close" };
  const answer = await fetch(`http://${host}/v2alpha1/admin/apiKeys:verify`, { method: "POST", headers, body: BODY });
  return answer.status;
}

describe.each([1, 2])("with %i process(es), output that cannot be written", (workers) => {
  const hasFull = existsSync("/dev/full");
  const serve = () => latchkeyWords(["serve", "--workers", String(workers)]).slice(1);

  afterEach(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });

  async function goesOn(): Promise<void> {
    await ready();
    for (let call = 0; call < CALLS; call++) expect(await verify()).toBe(200);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  }

  (hasFull ? test : test.skip)(
    `as the disk is full, changes nothing${hasFull ? "" : ", skipped: there is no /dev/full"}`,
    async () => {
      const full = openSync("/dev/full", "w");
      child = spawn(process.execPath, serve(), { env: environment(), stdio: ["ignore", full, full] });
      await goesOn();
    },
    TIMEOUT_MS,
  );

  test(
    "as nobody reads it any more, changes nothing",
    async () => {
      child = spawn(process.execPath, serve(), { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
      child.stdout?.destroy();
      child.stderr?.destroy();
      await goesOn();
    },
    TIMEOUT_MS,
  );
});

const canRun = hasScript() || TOOLS_REQUIRED;

(canRun ? describe : describe.skip).each([1, 2])(
  `with %i process(es), a terminal${canRun ? "" : ", skipped: put script (util-linux) on the PATH to run it"}`,
  (workers) => {
    const file = (name: "shell" | "service" | "exit-code" | "log") => join(directory, name);
    const pidOf = (name: "shell" | "service") => Number(readFileSync(file(name), "utf8"));

    /** Starts the service at a terminal, with its output there unless it is sent elsewhere. */
    async function start(redirection = ""): Promise<void> {
      const words = latchkeyWords(["serve", "--workers", String(workers)]).map((word) => `'${word}'`);
      // The shell stays, to say how the service ended.
      const service = `sh -c 'echo $$ > "$0"; exec "$@"' '${file("service")}' ${words.join(" ")} ${redirection}`;
      const command = `trap '' HUP; echo $$ > '${file("shell")}'; ${service}; echo $? > '${file("exit-code")}'`;
      child = spawn("script", ["--quiet", "--flush", "--command", command, join(directory, "typescript")], {
        env: { ...environment(), TERM: "xterm", SHELL: "/bin/sh" },
        stdio: ["pipe", "ignore", "ignore"],
      });
      await ready();
    }

    /** As a window that is closed, or a connection that is lost: an interactive shell hands the signal on to its jobs. */
    async function closeTerminal(): Promise<void> {
      const closed = once(child, "exit");
      child.kill("SIGKILL");
      await closed;
      process.kill(-pidOf("shell"), "SIGHUP");
    }

    function ended(): Promise<string> {
      return eventually(
        "the service to end",
        () => (existsSync(file("exit-code")) && readFileSync(file("exit-code"), "utf8")) || undefined,
      );
    }

    afterEach(async () => {
      if (existsSync(file("exit-code"))) return;
      process.kill(pidOf("service"), "SIGKILL");
      await ended();
    });

    test(
      "that closes stops the service: the call under way is answered, nothing new is taken",
      async () => {
        await start();
        const connection = await beginCall(host, readToken());
        await closeTerminal();
        const isRefused = async () => {
          const refused = await RawConnection.open(host).then(
            (other) => void other.destroy(),
            (error) => String(error.code),
          );
          return refused;
        };
        expect(await eventually("the service to drain", isRefused)).toBe("ECONNREFUSED");
        await connection.write(BODY);
        expect((await readHttp1Reply(connection)).status).toBe(200);
        expect(await ended()).toBe(ENDED_BY_HANG_UP);
      },
      TIMEOUT_MS,
    );

    test(
      "that is its input alone lets it reload at SIGHUP, and stops it when it closes",
      async () => {
        await start(`> '${file("log")}' 2>&1`);
        const logged = (msg: string) => readFileSync(file("log"), "utf8").split(`"msg":"${msg}"`).length - 1;
        process.kill(pidOf("service"), "SIGHUP");
        await eventually("a reload", () => logged("the secrets were read again") === workers || undefined);
        expect(await verify()).toBe(200);
        await closeTerminal();
        expect(await ended()).toBe(ENDED_BY_HANG_UP);
        const processes = workers === 1 ? 1 : workers + 1;
        expect([logged("draining"), logged("stopped")]).toEqual([processes, processes]);
      },
      TIMEOUT_MS,
    );
  },
);
