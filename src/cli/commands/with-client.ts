import type { Client } from "../client/client.js";
import type { CommandContext } from "../program.js";
import type { ClientOptions } from "./options.js";

/** Does `work` with the client that a command's options ask for. @throws CommandFailure that says what a call failed with */
export async function withClient<T>(
  context: CommandContext,
  options: ClientOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { openClient } = await import("../client/open-client.js");
  const { explainFailure } = await import("../client/explain-failure.js");
  let hasToken = false;
  try {
    const opened = await openClient(options, context);
    hasToken = opened.hasToken;
    try {
      return await work(opened.client);
    } finally {
      await opened.client.close();
    }
  } catch (error) {
    throw explainFailure(error, hasToken);
  }
}
