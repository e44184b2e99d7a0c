import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPort } from "../../src/cli/find-port.js";
import { asShown, linesAsShown } from "./as-shown.js";
import type { Step } from "./page-steps.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Where pages have services: at 4420, and others beside it. */
const PAGE_PORT = /\b442[0-9]\b/g;
const SERVICE_PORT = "4420";
/** The MongoDB that pages show. */
export const PAGE_MONGODB = "mongodb://db1.example.com,db2.example.com,db3.example.com/latchkey?replicaSet=rs0";
const LOOPBACK = "127.0.0.1,localhost";
/** Between the outputs of two steps. */
const MARK = "-- next step --";
/** With packages to fetch, on two busy cores. */
const STEPS_TIMEOUT_MS = 280_000;
const END_TIMEOUT_MS = 20_000;
/** How long a page may take. */
export const PAGE_TIMEOUT_MS = STEPS_TIMEOUT_MS + END_TIMEOUT_MS + 10_000;

/** What the reader of some pages has done in another terminal. */
const START = `latchkey serve > latchkey.log 2>&1 &
SERVICE_OF_THE_TEST=$!
until curl -sf http://127.0.0.1:${SERVICE_PORT}/health/ready > ready.json; do kill -0 $!; sleep 0.1; done
`;
const STOP = "kill $SERVICE_OF_THE_TEST\n";

export interface PageOptions {
  /** Variables that the page is read with. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands for `PAGE_MONGODB`. */
  readonly mongodbUri?: string | undefined;
  /** Whether a service runs that the page does not start. */
  readonly hasService?: boolean;
  /** Where the page is read. Absent: in a new folder, of which nothing is left. */
  readonly folder?: string;
  /** How long what the page has stopped may take to end. */
  readonly endTimeoutMs?: number;
}

/**
 * Takes the steps of a page in one shell (`bash -euo pipefail`), with `latchkey` on the PATH. Answers them with
 * what came out in place of what is shown: equal to `steps` exactly when everything came as it is shown. Throws when the shell
 * ends before the last step, or leaves something running, which is ended then.
 */
export async function runPage(steps: readonly Step[], options: PageOptions = {}): Promise<Step[]> {
  const { env = {}, mongodbUri, hasService = false, endTimeoutMs = END_TIMEOUT_MS } = options;
  const parent = mkdtempSync(join(tmpdir(), "latchkey-page-"));
  const { folder = join(parent, "reader") } = options;
  try {
    const ports = await findPorts(steps);
    const localize = (text: string) =>
      text
        .replaceAll(PAGE_PORT, (port) => ports.get(port) ?? port)
        .replaceAll(PAGE_MONGODB, mongodbUri ?? PAGE_MONGODB);
    mkdirSync(folder, { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules")); // for npx, and for programs of the page
    const script = [hasService ? START : "", ...steps.map(markedScript), hasService ? STOP : ""].join("");
    const outputs = await runShell(localize(script), steps, {
      cwd: folder,
      env: {
        ...cleanEnvironment(),
        PATH: `${createCommand(parent)}${delimiter}${process.env.PATH}`,
        LATCHKEY_SERVER_PORT: ports.get(SERVICE_PORT) ?? SERVICE_PORT,
        ...env,
      },
      endTimeoutMs,
    });
    return steps.map((step, index) => withOutput(step, outputs[index] ?? "", localize));
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** The environment without any setting of the service, of the tests, and of what gRPC trusts instead of NODE_EXTRA_CA_CERTS. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:LATCHKEY|GRPC)_/.test(name));
  return { ...Object.fromEntries(kept), no_proxy: LOOPBACK, NO_PROXY: LOOPBACK };
}

/** A free port for each that the page names. */
async function findPorts(steps: readonly Step[]): Promise<Map<string, string>> {
  const named = new Set([SERVICE_PORT, ...steps.flatMap(({ script }) => script.match(PAGE_PORT) ?? [])]);
  const free = new Set<string>();
  while (free.size < named.size) free.add(String(await findPort({ host: "127.0.0.1", port: 0 })));
  return new Map([...named].map((port, index) => [port, [...free][index] ?? port]));
}

/** A folder with the command `latchkey`, from the sources. */
function createCommand(parent: string): string {
  const folder = join(parent, "bin");
  const command = join(folder, "latchkey");
  mkdirSync(folder);
  writeFileSync(
    command,
    `#!/bin/sh\nexec "${process.execPath}" --import "${ROOT}test/ts-loader.mjs" "${ROOT}src/main.ts" "$@"\n`,
  );
  chmodSync(command, 0o755);
  return folder;
}

function markedScript({ script, shown }: Step): string {
  const isText = shown !== undefined && "text" in shown;
  return `${isText ? `{\n${script}} 2>&1\n` : script}echo '${MARK}'\n`;
}

function withOutput(step: Step, output: string, localize: (text: string) => string): Step {
  const { shown } = step;
  if (shown === undefined) return step;
  if ("json" in shown) return { ...step, shown: { json: asShown(parseJson(output), shown.json) } };
  const expected = localize(shown.text);
  const actual = linesAsShown(output, expected);
  return { ...step, shown: { text: actual === expected ? shown.text : actual } };
}

/** What is no JSON is answered as it is, and differs from what is shown. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Answers what each step wrote. The shell leads a process group of its own, of which nothing is left in the end. */
async function runShell(
  script: string,
  steps: readonly Step[],
  {
    endTimeoutMs,
    ...options
  }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly endTimeoutMs: number },
): Promise<string[]> {
  // It waits for what it has started, and so sees that it ends.
  const words = ["-euo", "pipefail", "-c", `${script}wait\n`];
  const shell = spawn("bash", words, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    endGroup(shell);
  };
  let timer = setTimeout(stop, STEPS_TIMEOUT_MS);
  shell.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  shell.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (stdout.split(`${MARK}\n`).length <= steps.length) return;
    clearTimeout(timer);
    timer = setTimeout(stop, endTimeoutMs);
  });
  const closed = once(shell, "close");
  const [code] = (await once(shell, "exit")) as [number | null];
  clearTimeout(timer);
  endGroup(shell);
  await closed;
  const outputs = stdout.split(`${MARK}\n`);
  if (code === 0) return outputs;
  const failed = steps[outputs.length - 1]?.script ?? "what was started to end";
  const why = isStopped ? "the shell waited too long for" : `the shell ended with code ${code} at`;
  throw new Error(`${why}:\n${failed}\nstdout:\n${outputs.at(-1)}\nstderr:\n${stderr}\n${readLogs(options.cwd)}`);
}

/** Ends what is left of a process group. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function readLogs(folder: string): string {
  const logs = readdirSync(folder).filter((name) => name.endsWith(".log"));
  return logs.map((name) => `${name}:\n${readFileSync(join(folder, name), "utf8")}`).join("\n");
}
