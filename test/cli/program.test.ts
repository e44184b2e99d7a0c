import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { CommandFailure } from "../../src/cli/command-failure.js";
import { migrateStatus, migrateUp } from "../../src/cli/migrate.js";
import type { ProgramContext } from "../../src/cli/program.js";
import type { Config } from "../../src/config/config.js";
import { loadConfig } from "../../src/config/load-config.js";
import { ServiceError } from "../../src/errors.js";
import { createIdleProgram } from "./idle-program.js";

const directory = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
afterAll(() => rmSync(directory, { recursive: true }));

class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

interface Run {
  readonly out: string;
  readonly err: string;
  /** 0 when the command simply came to its end. */
  readonly code: number;
}

async function run(words: string[], context: Partial<ProgramContext> = {}): Promise<Run> {
  let out = "";
  let err = "";
  let code = 0;
  const program = createIdleProgram({
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    exit: (status) => {
      throw new Exit(status);
    },
    ...context,
  });
  try {
    await program.parseAsync(["node", "latchkey", ...words]);
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    code = error.code;
  }
  return { out, err, code };
}

function write(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

describe("latchkey", () => {
  test("--version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await run(["--version"])).toEqual({ out: `${version}\n`, err: "", code: 0 });
  });

  test("--help", async () => {
    const { out, err, code } = await run(["--help"]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toContain("Usage: latchkey [options] [command]");
    expect(out).toMatch(/serve \[options\] +run the service/);
  });

  test.each([
    [["serv"], "latchkey: unknown command 'serv'\n(Did you mean serve?)\n"],
    [["serve", "--port", "1"], "latchkey: unknown option '--port'\n"],
    [["serve", "--config"], "latchkey: option '--config <file>' argument missing\n"],
    [["serve", "--workers"], "latchkey: option '--workers <n>' argument missing\n"],
    ...["0", "-1", "1.5", "257", "1000", "two", ""].map((workers): [string[], string] => [
      ["serve", "--workers", workers],
      `latchkey: option '--workers <n>' argument '${workers}' is invalid. It must be 1 to 256, or auto.\n`,
    ]),
    [["config", "check", "extra"], "latchkey: too many arguments for 'check'. Expected 0 arguments but got 1.\n"],
  ])("%j is a usage error", async (words, err) => {
    expect(await run(words)).toMatchObject({ out: "", err: expect.stringContaining(err), code: 2 });
  });

  test("without a command shows its help as a usage error", async () => {
    expect(await run([])).toMatchObject({ out: "", err: expect.stringContaining("Usage: latchkey"), code: 2 });
    expect(await run(["config"])).toMatchObject({ err: expect.stringContaining("Usage: latchkey config"), code: 2 });
  });
});

describe("latchkey config check", () => {
  test("OK", async () => {
    const file = write("good.yaml", "server: { port: 1 }\n");
    expect(await run(["config", "check", "--config", file])).toEqual({ out: "OK\n", err: "", code: 0 });
  });

  test("warnings do not make it wrong", async () => {
    const err = "latchkey: warning: LATCHKEY_PORT names no setting and is ignored\n";
    expect(await run(["config", "check"], { env: { LATCHKEY_PORT: "1" } })).toEqual({ out: "OK\n", err, code: 0 });
  });

  test("every mistake, exit code 1", async () => {
    const file = write("bad.yaml", "server: { port: x }\n");
    expect(
      await run(["config", "check", "--config", file], { env: { LATCHKEY_KEYS_PREFIX: "-", LATCHKEY_X: "" } }),
    ).toEqual({
      out: "",
      err:
        "latchkey: warning: LATCHKEY_X names no setting and is ignored\n" +
        "latchkey: the configuration has 2 mistakes\n" +
        `  server.port (${file}:1): must be a whole number from 0 to 65535\n` +
        "  keys.prefix (LATCHKEY_KEYS_PREFIX): must be 1 to 16 characters of A-Z, a-z, 0-9 and '_'\n",
      code: 1,
    });
  });
});

describe("latchkey serve", () => {
  test("runs the service with the configuration and the warnings", async () => {
    const calls: unknown[] = [];
    const env = { LATCHKEY_SERVER_PORT: "5", LATCHKEY_X: "" };
    const serve: ProgramContext["serve"] = async ({ server }, warnings, workers) => {
      calls.push(server.port, warnings, workers);
    };
    expect(await run(["serve"], { env, serve })).toEqual({ out: "", err: "", code: 0 });
    expect(calls).toEqual([5, ["LATCHKEY_X names no setting and is ignored"], 1]);
  });

  test.each([
    ["1", 1],
    ["256", 256],
    ["auto", Math.min(availableParallelism(), 256)],
  ])("--workers %s", async (workers, expected) => {
    const calls: unknown[] = [];
    const serve: ProgramContext["serve"] = async (_config, _warnings, count) => void calls.push(count);
    expect(await run(["serve", "--workers", workers], { serve })).toEqual({ out: "", err: "", code: 0 });
    expect(calls).toEqual([expected]);
  });

  test("does not start with a wrong configuration", async () => {
    const serve = async () => {
      throw new Error("started");
    };
    expect(await run(["serve"], { env: { LATCHKEY_SERVER_PORT: "x" }, serve })).toEqual({
      out: "",
      err:
        "latchkey: the configuration has a mistake\n" +
        "  server.port (LATCHKEY_SERVER_PORT): must be a whole number from 0 to 65535\n",
      code: 1,
    });
  });

  test("tells why it could not start, without a stack", async () => {
    const serve = async () => {
      throw new ServiceError("UNAVAILABLE", "MongoDB at db:27017 has no space left");
    };
    expect(await run(["serve"], { serve })).toEqual({
      out: "",
      err: "latchkey: MongoDB at db:27017 has no space left\n",
      code: 1,
    });
  });

  test("shows the stack of a defect", async () => {
    const serve = async () => {
      throw new TypeError("x is not a function");
    };
    const { err, code } = await run(["serve"], { serve });
    expect(code).toBe(1);
    expect(err).toMatch(/^latchkey: TypeError: x is not a function\n +at /);
  });
});

describe("latchkey migrate", () => {
  test.each(["up", "status"] as const)("%s gets the configuration", async (action) => {
    const uris: unknown[] = [];
    const take = async (config: Config) => void uris.push(config.store.mongodb?.uri);
    const env = { LATCHKEY_STORE_MONGODB_URI: "mongodb://db/keys" };
    const context = action === "up" ? { migrateUp: take } : { migrateStatus: take };
    expect(await run(["migrate", action], { env, ...context })).toEqual({ out: "", err: "", code: 0 });
    expect(uris).toEqual(["mongodb://db/keys"]);
  });

  test("tells why it could not be done", async () => {
    const migrateUp = async () => {
      throw new ServiceError("UNAVAILABLE", "MongoDB at db:27017 has no space left");
    };
    const err = "latchkey: MongoDB at db:27017 has no space left\n";
    expect(await run(["migrate", "up"], { migrateUp })).toEqual({ out: "", err, code: 1 });
  });

  test("makes no embedded store where there is none", async () => {
    const dataDir = join(directory, "nowhere");
    const { config } = loadConfig({ file: undefined, env: { LATCHKEY_DATA_DIR: dataDir } });
    for (const action of [migrateUp, migrateStatus]) {
      let out = "";
      await action(config as Config, { write: (text) => (out += text) });
      expect(out).toBe("there is no store yet: the first start makes one\n");
    }
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe("latchkey secrets", () => {
  test.each([
    [
      ["rotate", "hmac"],
      ["./data", "hmac", 600_000],
    ],
    [
      ["rotate", "signing-key", "--use-after", "1h30m", "--data-dir", "/elsewhere"],
      ["/elsewhere", "signing-key", 5_400_000],
    ],
    [
      ["rotate", "hmac", "--use-after", "0s"],
      ["./data", "hmac", 0],
    ],
    [
      ["forget", "hmac"],
      ["./data", "hmac", false],
    ],
    [
      ["forget", "signing-key", "--all"],
      ["./data", "signing-key", true],
    ],
  ])("%j", async (words, expected) => {
    const calls: unknown[] = [];
    const take = async ({ dataDir }: Config, ...others: unknown[]) => void calls.push([dataDir, ...others]);
    const context = { rotateSecret: take, forgetSecrets: take };
    expect(await run(["secrets", ...words], context)).toEqual({ out: "", err: "", code: 0 });
    expect(calls).toEqual([expected]);
  });

  test("--data-dir wins over every other way to say it", async () => {
    const calls: unknown[] = [];
    const rotateSecret = async ({ dataDir }: Config) => void calls.push(dataDir);
    for (const name of ["LATCHKEY_DATA_DIR", "LATCHKEY_DATA_DIR_FILE"]) {
      await run(["secrets", "rotate", "hmac", "--data-dir", "/elsewhere"], { env: { [name]: "/data" }, rotateSecret });
    }
    expect(calls).toEqual(["/elsewhere", "/elsewhere"]);
  });

  test.each([
    [["rotate"], "latchkey: missing required argument 'secret'\n"],
    [
      ["rotate", "pepper"],
      "latchkey: command-argument value 'pepper' is invalid for argument 'secret'. Allowed choices are hmac, signing-key.\n",
    ],
    ...["soon", "-1s", "1500m"].map((text): [string[], string] => [
      ["rotate", "hmac", "--use-after", text],
      `latchkey: option '--use-after <duration>' argument '${text}' is invalid. It must be a duration such as 0s, 10m or 1h, and at most 24h.\n`,
    ]),
  ])("%j is a usage error", async (words, err) => {
    expect(await run(["secrets", ...words])).toMatchObject({ out: "", err: expect.stringContaining(err), code: 2 });
  });

  test("tells what went wrong, without a stack", async () => {
    const rotateSecret = async () => {
      throw new CommandFailure("secrets.hmac.current is configured");
    };
    const err = "latchkey: secrets.hmac.current is configured\n";
    expect(await run(["secrets", "rotate", "hmac"], { rotateSecret })).toEqual({ out: "", err, code: 1 });
  });
});
