import { CommandFailure } from "../command-failure.js";
import { EXIT_CODE } from "../exit-code.js";
import type { CommandContext } from "../program.js";
import { readConfig, writeWarnings } from "../read-config.js";
import type { Client } from "./client.js";
import { type Endpoint, parseEndpoint } from "./endpoint.js";
import { configuredEndpoint, findListener, readGeneratedToken } from "./find-service.js";
import { readToken } from "./read-token.js";

export interface OpenOptions {
  readonly endpoint?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly config?: string | undefined;
}

export interface OpenedClient {
  readonly client: Client;
  /** Whether calls carry a bearer token. */
  readonly hasToken: boolean;
}

/**
 * The service that the endpoint names; without one, the service that listens where the configuration says, with the token of
 * the data directory; where nobody listens, or it cannot be known who does, the configured store itself, in this process. A
 * terminal is told which of these.
 * @throws CommandFailure when another user listens there, and others
 */
export async function openClient(options: OpenOptions, context: CommandContext): Promise<OpenedClient> {
  const { env, stderr } = context;
  const say = (text: string) => void (stderr.isTTY && stderr.write(`latchkey: ${text}\n`));
  const given = givenEndpoint(options, context);
  const token = await readToken({ ...options, env });
  if (given !== undefined) return { client: await connectClient(given, token), hasToken: token !== undefined };

  const { config, warnings } = await readConfig(options, context);
  writeWarnings(warnings, context);
  const local = configuredEndpoint(config);
  const listener = local === undefined ? "none" : await findListener(config);
  if (local !== undefined && listener === "trusted") {
    say(`using the service at ${local.text}`);
    const localToken = token ?? (await readGeneratedToken(config));
    return { client: await connectClient(local, localToken), hasToken: localToken !== undefined };
  }
  const { describeStore } = await import("../open-domain.js");
  const { openStoreClient } = await import("./store-client.js");
  const why =
    listener === "none"
      ? `no service listens at ${local?.text ?? "a known port"}`
      : `it cannot be known whose service listens at ${local?.text}, which --endpoint would use`;
  say(`${why}: using the store itself (${describeStore(config)})`);
  return { client: await openStoreClient(config, (warning) => writeWarnings([warning], context)), hasToken: false };
}

/** The service alone, without a token: for what only a service can say. @throws CommandFailure */
export async function openServiceClient(options: OpenOptions, context: CommandContext): Promise<Client> {
  const given = givenEndpoint(options, context);
  if (given !== undefined) return connectClient(given, undefined);
  const { config, warnings } = await readConfig(options, context);
  writeWarnings(warnings, context);
  const local = configuredEndpoint(config);
  if (local !== undefined) {
    await findListener(config); // what another user says of himself is nothing
    return connectClient(local, undefined);
  }
  throw new CommandFailure("server.port is 0, so nobody knows the port: give --endpoint", EXIT_CODE.usage);
}

/** The endpoint of the option or of LATCHKEY_ENDPOINT. @throws CommandFailure for one that is none */
function givenEndpoint({ endpoint }: OpenOptions, { env }: CommandContext): Endpoint | undefined {
  const text = endpoint ?? env.LATCHKEY_ENDPOINT ?? "";
  if (endpoint === undefined && text === "") return undefined;
  const parsed = parseEndpoint(text);
  if ("endpoint" in parsed) return parsed.endpoint;
  throw new CommandFailure(
    `${endpoint === undefined ? "LATCHKEY_ENDPOINT" : "--endpoint"} ${parsed.error}`,
    EXIT_CODE.usage,
  );
}

async function connectClient(endpoint: Endpoint, token: string | undefined): Promise<Client> {
  if (endpoint.protocol === "grpc") return (await import("./grpc-client.js")).createGrpcClient(endpoint, token);
  return (await import("./rest-client.js")).createRestClient(endpoint, token);
}
