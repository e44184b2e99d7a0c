import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Api } from "./api.js";
import { ChildService } from "./child-service.js";
import type { ApiClient } from "./clients/api-client.js";
import { createFetchRestClient } from "./clients/rest-client.js";
import { adminTokens, randomTokens } from "./server.js";

export interface MongoService {
  readonly process: ChildService;
  readonly url: string;
  readonly client: ApiClient;
  readonly api: Api;
}

/** Services on MongoDB, each in a process of its own, with the same secrets and tokens. */
export class MongoServices {
  readonly tokens = randomTokens();
  /** Made by the first start: where a suite is skipped, nothing disposes of it. */
  #directory: string | undefined;
  readonly #started: ChildService[] = [];

  /** Resolves when the service is ready. `env` has more settings. */
  async start(uri: string, env: Readonly<Record<string, string>> = {}): Promise<MongoService> {
    this.#directory ??= mkdtempSync(join(tmpdir(), "latchkey-services-"));
    const process = new ChildService({
      env: {
        LATCHKEY_STORE_MONGODB_URI: uri,
        LATCHKEY_DATA_DIR: join(this.#directory, "data"),
        LATCHKEY_LOG_LEVEL: "warn",
        LATCHKEY_ADMIN_TOKENS: adminTokens(this.tokens),
        ...env,
      },
    });
    this.#started.push(process);
    const url = await process.ready();
    const client = createFetchRestClient(url);
    return { process, url, client, api: new Api(client, this.tokens) };
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#started.map((process) => process.stop()));
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true });
  }
}
