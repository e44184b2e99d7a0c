import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FloodOrder, FromAttackers, ToAttackers } from "./flood-protocol.js";

const LOADER = new URL("../ts-loader.mjs", import.meta.url).href;
const SCRIPT = fileURLToPath(new URL("./attackers-child.ts", import.meta.url));

/** The process of the attackers. It takes one order after the other, and ends with this one at the latest. */
export class Attackers {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stderr = "";

  constructor() {
    this.#child = fork(SCRIPT, [], { execArgv: ["--import", LOADER], stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#ended = once(this.#child, "close");
  }

  /** Resolves when they wait for orders. Throws when the process ends instead. */
  async ready(): Promise<void> {
    await this.#receive("ready");
  }

  /**
   * Attacks until each attacker has sent what it should, and then for as long as `until` takes. Answers the frames that each
   * of them sent. Throws what `until` throws, and when the process ends meanwhile.
   */
  async flood(order: FloodOrder, until: () => Promise<unknown>): Promise<readonly number[]> {
    this.#send({ kind: "start", order });
    await this.#receive("enough");
    const outcome = await Promise.allSettled([until()]);
    this.#send({ kind: "stop" });
    const { sent } = await this.#receive("stopped"); // in any case, so that the next order finds them waiting
    if (outcome[0].status === "rejected") throw outcome[0].reason;
    return sent;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #send(message: ToAttackers): void {
    this.#child.send(message);
  }

  async #receive<K extends FromAttackers["kind"]>(kind: K): Promise<Extract<FromAttackers, { kind: K }>> {
    const ended = this.#ended.then(() => {
      throw new Error(`the process of the attackers ended:\n${this.#stderr}`);
    });
    const [message]: FromAttackers[] = await Promise.race([once(this.#child, "message"), ended]);
    if (message?.kind !== kind) throw new Error(`"${message?.kind}" where "${kind}" was to come`);
    return message as Extract<FromAttackers, { kind: K }>;
  }
}
