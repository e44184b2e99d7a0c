import type { Api } from "./api.js";
import type { JsonObject } from "./clients/api-client.js";
import { eventually } from "./eventually.js";

/**
 * Verifies a credential until the answer knows of a change. Milliseconds from now until the last verification was sent whose
 * answer did not; 0: there was none.
 */
export async function staleForMs(
  api: Api,
  credential: string,
  isChanged: (answer: JsonObject) => boolean,
): Promise<number> {
  const startMs = performance.now();
  let lastStaleMs = 0;
  await eventually("a verification that knows of the change", async () => {
    const sentMs = performance.now() - startMs;
    if (isChanged(await api.verify(credential))) return true;
    lastStaleMs = sentMs;
    return undefined;
  });
  return lastStaleMs;
}
