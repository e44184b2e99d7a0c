import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { findPort } from "../../src/cli/find-port.js";
import { cleanEnvironment } from "./run-page.js";

export interface ShopOptions {
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  /** Host and port of the service. */
  readonly service: string;
  readonly tokenFile: string;
}

/** The program of a page of docs/clients/, serving orders to those who show a key. */
export class ShopProcess {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #ended: Promise<unknown[]>;

  private constructor({ command, folder, service, tokenFile }: ShopOptions, address: string) {
    const [program, ...words] = command;
    this.#url = `http://${address}/orders`;
    this.#child = spawn(program, [...words, "serve", address], {
      cwd: folder,
      env: { ...cleanEnvironment(), LATCHKEY_ENDPOINT: `http://${service}`, TOKEN_FILE: tokenFile },
      stdio: "ignore",
    });
    this.#ended = once(this.#child, "exit");
  }

  static async start(options: ShopOptions): Promise<ShopProcess> {
    return new ShopProcess(options, `127.0.0.1:${await findPort({ host: "127.0.0.1", port: 0 })}`);
  }

  /** Rejects when there is no answer. */
  async ask(key: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await fetch(this.#url, { headers: { authorization: `Bearer ${key}` } });
    return { status: response.status, body: await response.json() };
  }

  /** Answers the exit code. */
  async stop(): Promise<unknown> {
    this.#child.kill("SIGTERM");
    const [code] = await this.#ended;
    return code;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
