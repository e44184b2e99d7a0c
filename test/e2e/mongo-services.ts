import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import type { ApiClient } from "./clients/api-client.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { adminTokens, randomTokens, readSigningJwk, type SigningJwk } from "./server.js";

export interface MongoService {
  readonly process: ChildService;
  readonly url: string;
  readonly client: ApiClient;
  readonly api: Api;
}

/** Services on MongoDB, each in a process of its own, with the same secrets and tokens. */
export class MongoServices {
  readonly tokens = randomTokens();
  /** Made when it is needed: where a suite is skipped, nothing disposes of it. */
  #directory: string | undefined;
  readonly #started: ChildService[] = [];

  /** The generated key that they sign tokens with, once one of them was started. */
  signingJwk(): SigningJwk | undefined {
    return readSigningJwk(this.#dataDir());
  }

  /** What they have in common, as environment variables. */
  env(uri: string): Readonly<Record<string, string>> {
    return {
      LATCHKEY_STORE_MONGODB_URI: uri,
      LATCHKEY_DATA_DIR: this.#dataDir(),
      LATCHKEY_LOG_LEVEL: "warn",
      LATCHKEY_ADMIN_TOKENS: adminTokens(this.tokens),
    };
  }

  /** Resolves when the service is ready. `env` has more settings; `main` is the executable of another release. */
  async start(uri: string, env: Readonly<Record<string, string>> = {}, main?: string): Promise<MongoService> {
    const process = new ChildService({ main, env: { ...this.env(uri), ...env } });
    this.#started.push(process);
    const url = await process.ready();
    const client = createFetchRestClient(url);
    return { process, url, client, api: new Api(client, this.tokens) };
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#started.map((process) => process.stop()));
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true });
  }

  #dataDir(): string {
    this.#directory ??= mkdtempSync(join(tmpdir(), "latchkey-services-"));
    return join(this.#directory, "data");
  }
}
