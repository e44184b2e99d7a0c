import type { ApiClient } from "./api-client.js";

/** Makes every call through another client than the one before it: in turns, from the first. */
export function createAlternatingClient(clients: readonly [ApiClient, ...ApiClient[]]): ApiClient {
  let calls = 0;
  return {
    call(rpc, request, options) {
      const client = clients[calls % clients.length] ?? clients[0];
      calls += 1;
      return client.call(rpc, request, options);
    },
    close() {
      for (const client of clients) client.close();
    },
  };
}
