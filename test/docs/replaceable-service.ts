import { findPort } from "../../src/cli/find-port.js";
import { Api } from "../e2e/api.js";
import { createFetchRestClient } from "../e2e/clients/rest-client.js";
import { eventually } from "../e2e/eventually.js";
import { startProxy, type Proxy as TcpProxy } from "../e2e/proxy.js";
import { adminTokens, randomTokens, startTestServer, type TestServer, type Tokens } from "../e2e/server.js";

/** A service behind a proxy, where another one takes its place as in a rolling restart. All know the same key. */
export class ReplaceableService {
  private constructor(
    readonly tokens: Tokens,
    private readonly rawKey: string,
    private readonly proxy: TcpProxy,
    private server: TestServer | undefined,
  ) {}

  /** `rawKey`: a key for `orders.read`, of the actor `me`. */
  static async start(rawKey: string): Promise<ReplaceableService> {
    const tokens = randomTokens();
    const server = await startServer(tokens, rawKey);
    return new ReplaceableService(tokens, rawKey, await startProxy(server.address), server);
  }

  /** Host and port, which stay the same. */
  get address(): string {
    return this.proxy.address;
  }

  /** Once the next one is ready, new connections go there, and the one before stops. */
  async replace(): Promise<void> {
    const before = this.server;
    this.server = await startServer(this.tokens, this.rawKey);
    this.proxy.redirect(this.server.address);
    await before?.close();
  }

  /**
   * Begins `work`, waits for so many verifications that it has made, and loses their answers with the connection. That has to be
   * there already. Answers what `work` does then.
   */
  async loseAnswers<T>(count: number, work: () => Promise<T>): Promise<T> {
    const { server, proxy } = this;
    const made = () => server?.log.filter((line) => line.includes("AdminVerifyApiKey")).length ?? 0;
    proxy.withhold();
    const before = made();
    const [result] = await Promise.all([
      work(),
      eventually(`${count} verifications`, () => made() >= before + count || undefined).then(() => proxy.cut()),
    ]);
    return result;
  }

  /** Cuts the connections and begins `work`; new ones lead nowhere until so many were tried. Answers what `work` does. */
  async interrupt<T>(tries: number, work: () => Promise<T>): Promise<T> {
    const { proxy, server } = this;
    proxy.redirect(`127.0.0.1:${await findPort({ host: "127.0.0.1", port: 0 })}`);
    proxy.cut();
    const { taken } = proxy;
    const [result] = await Promise.all([
      work(),
      eventually(`${tries} connections`, () => proxy.taken >= taken + tries || undefined).then(() => {
        if (server !== undefined) proxy.redirect(server.address);
      }),
    ]);
    return result;
  }

  /** Leaves nobody who answers, until the next `replace`. */
  async withdraw(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await server?.close();
  }

  async dispose(): Promise<void> {
    await this.proxy.close();
    await this.withdraw();
  }
}

async function startServer(tokens: Tokens, rawKey: string): Promise<TestServer> {
  const server = await startTestServer({ env: { LATCHKEY_ADMIN_TOKENS: adminTokens(tokens) } });
  const api = new Api(createFetchRestClient(server.url), tokens);
  await api.importKey({ raw_key: rawKey, actor_id: "me", scopes: ["orders.read"] });
  return server;
}
