import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isCi, uriOfDatabase } from "./mongo-server.js";

/** The first start on a machine may have to unpack the server. */
const CONTROL_TIMEOUT_MS = 60_000;

const run = promisify(execFile);

/** What the suites say that cannot crash or freeze a server. */
export const CONTROL_SKIPPED =
  "skipped: set LATCHKEY_TEST_MONGODB_CONTROL to a program that starts, stops, crashes, pauses and resumes a server";

/** A MongoDB server of a suite's own, which it may crash and freeze. */
export interface ControlledMongo {
  /** With the name of a database. It stays the same over crashes. */
  readonly uri: string;
  /** kill -9 of all that belongs to the server. Its data stays. */
  crash(): Promise<void>;
  /** After a crash. */
  start(): Promise<void>;
  /** From now on the server answers nothing, and closes no connection. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Starts a server on data in a directory of its own, by the program that LATCHKEY_TEST_MONGODB_CONTROL names: `PROGRAM start DIR`
 * prints its URI, and `stop`, `crash`, `pause` and `resume` do what they say. `undefined` where the variable is not set; in CI
 * that is an error, so that nothing is skipped there unnoticed.
 */
export async function startControlledMongo(): Promise<ControlledMongo | undefined> {
  const program = process.env.LATCHKEY_TEST_MONGODB_CONTROL;
  if (program === undefined || program === "") {
    if (isCi()) throw new Error("in CI servers must be crashed and frozen: set LATCHKEY_TEST_MONGODB_CONTROL");
    process.stderr.write(`MongoDB suite ${CONTROL_SKIPPED}\n`);
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), "latchkey-mongo-"));
  chmodSync(directory, 0o711); // the server may run as another user
  const control = async (command: string) => {
    const { stdout } = await run(program, [command, directory], { timeout: CONTROL_TIMEOUT_MS });
    return stdout.trim();
  };
  const dispose = async () => {
    await control("resume"); // a frozen process does not stop
    await control("stop");
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const uri = uriOfDatabase(await control("start"), "latchkey_test");
    return {
      uri,
      crash: async () => void (await control("crash")),
      start: async () => void (await control("start")),
      pause: async () => void (await control("pause")),
      resume: async () => void (await control("resume")),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
