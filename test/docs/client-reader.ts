import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPort } from "../../src/cli/find-port.js";
import { ChildService } from "../e2e/child-service.js";
import { asShown, type Step } from "./readme-blocks.js";
import { cleanEnvironment } from "./tour-service.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What pages take from the folder that they are read in: stubs and definitions; and packages, for npx. */
const BESIDE = ["gen", "node_modules", "proto"];
/** The ports that pages name: the service's, and that of what they start. */
const SERVICE_PORT = /\b4420\b/g;
const PROGRAM_PORT = /\b4421\b/g;
/** Between the outputs of two steps. */
const MARK = "-- next step --";
/** With caches that are empty, on two busy cores. */
const STEPS_TIMEOUT_MS = 280_000;

/** Somebody in the folder of a running service, with a shell. */
export class ClientReader {
  readonly folder = mkdtempSync(join(tmpdir(), "latchkey-client-"));
  readonly #service: ChildService;

  constructor() {
    for (const name of BESIDE) symlinkSync(join(ROOT, name), join(this.folder, name));
    this.#service = new ChildService({ cwd: this.folder });
  }

  /** Takes every step in one shell. Answers the steps with what came out in place of what is shown. */
  async take(steps: readonly Step[]): Promise<Step[]> {
    const { port } = new URL(await this.#service.ready());
    const programPort = String(await findPort({ host: "127.0.0.1", port: 0 }));
    const script = steps
      .map((step) => `${step.script}\necho '${MARK}'\n`)
      .join("")
      .replaceAll(SERVICE_PORT, port)
      .replaceAll(PROGRAM_PORT, programPort);
    const outputs = (await this.#run(script)).split(`${MARK}\n`);
    return steps.map((step, index) =>
      "expected" in step ? { ...step, expected: asShown(JSON.parse(outputs[index] ?? ""), step.expected) } : step,
    );
  }

  async stop(): Promise<void> {
    await this.#service.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The shell leads a process group, of which nothing is left in the end. Rejects when it fails. */
  async #run(script: string): Promise<string> {
    const shell = spawn("bash", ["-euo", "pipefail", "-c", script], {
      cwd: this.folder,
      env: cleanEnvironment(),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    shell.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const end = () => {
      if (shell.pid !== undefined) killGroup(shell.pid);
    };
    const timer = setTimeout(end, STEPS_TIMEOUT_MS);
    const closed = once(shell, "close");
    const [code] = await once(shell, "exit");
    clearTimeout(timer);
    end();
    await closed;
    if (code !== 0) throw new Error(`the shell ended with code ${code}:\n${stdout}\n${stderr}`);
    return stdout;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
