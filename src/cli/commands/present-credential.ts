/** `latchkey keys verify|derive|self-revoke`: what is done with a credential. */
import type { JsonObject } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import { objectOf } from "../answer-parts.js";
import type { Client } from "../client/client.js";
import { EXIT_CODE, type ExitCode } from "../exit-code.js";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";
import { REASONS, reasonField } from "./manage-keys.js";
import { type ClientOptions, collect, parseJsonObject, withClientOptions } from "./options.js";
import { type CredentialOptions, readCredential, withCredential } from "./read-credential.js";
import { withClient } from "./with-client.js";
import { formatObject, writeAnswer } from "./write-answer.js";

interface PresentOptions extends ClientOptions, CredentialOptions {
  readonly clientIp?: string;
}

interface DeriveOptions extends PresentOptions {
  readonly algorithm?: string;
  readonly ttl?: string;
  readonly scope?: readonly string[];
  readonly claims?: Record<string, unknown>;
}

interface SelfRevokeOptions extends PresentOptions {
  readonly reason?: string;
}

/** The reason that whoever holds a key cannot give. */
const FOR_OPERATORS = "privilege-withdrawn";

export function addPresentCommands(keys: Command, context: CommandContext): void {
  const verify = keys.command("verify").description("say whether a credential is good now; exit code 1 if it is not");
  withClientOptions(withClientIp(withCredential(verify))).action((word: string | undefined, options: PresentOptions) =>
    present(word, options, async (client, credential) => {
      const answer = await client.call("adminVerifyApiKey", { credential, ...clientIpField(options) });
      await writeAnswer(context, options.format, answer);
      return answer.is_valid === true ? EXIT_CODE.ok : EXIT_CODE.failed;
    }),
  );

  const derive = withCredential(
    keys.command("derive").description("make a short-lived token from a key, or a narrower one from a token"),
  )
    .addOption(new Option("--algorithm <algorithm>", "kind of token").choices(["jwt", "macaroon"]))
    .option("--ttl <duration>", "how long it lives, such as 5m")
    .option("--scope <scope>", "what it may be used for; may be given several times", collect)
    .option("--claims <json>", "JSON object with claims of your own", parseJsonObject);
  withClientOptions(withClientIp(derive)).action((word: string | undefined, options: DeriveOptions) =>
    present(word, options, async (client, credential) => {
      const answer = await client.call("adminDeriveToken", { credential, ...deriveFields(options) });
      await writeAnswer(context, options.format, answer, (json, style) => formatObject(objectOf(json, "token"), style));
      return EXIT_CODE.ok;
    }),
  );

  const reasons = REASONS.filter((reason) => reason !== FOR_OPERATORS);
  const selfRevoke = withCredential(
    keys.command("self-revoke").description("revoke the key that is presented; needs no token"),
  ).addOption(new Option("--reason <reason>", "why").choices(reasons));
  withClientOptions(selfRevoke).action((word: string | undefined, options: SelfRevokeOptions) =>
    present(word, options, async (client, credential) => {
      const answer = await client.call("revokeApiKey", { credential, ...reasonField(options.reason) });
      await writeAnswer(context, options.format, answer, () => "revoked\n");
      return EXIT_CODE.ok;
    }),
  );

  /** The credential is read before anything is opened: whoever types it should not keep a store waiting. */
  function present(
    word: string | undefined,
    options: PresentOptions,
    work: (client: Client, credential: string) => Promise<ExitCode>,
  ): Promise<void> {
    return runCommand(context, async () => {
      const credential = await readCredential(word, options, context);
      return withClient(context, options, (client) => work(client, credential));
    });
  }
}

function withClientIp(command: Command): Command {
  return command.option("--client-ip <address>", "address that the credential was presented from");
}

function clientIpField({ clientIp }: PresentOptions): JsonObject {
  return clientIp === undefined ? {} : { client_ip: clientIp };
}

function deriveFields(options: DeriveOptions): JsonObject {
  const { algorithm, ttl, scope, claims } = options;
  return {
    ...clientIpField(options),
    ...(algorithm !== undefined && { algorithm: `TOKEN_ALGORITHM_${algorithm.toUpperCase()}` }),
    ...(ttl !== undefined && { ttl }),
    ...(scope !== undefined && { scopes: [...scope] }),
    ...(claims !== undefined && { custom_claims: claims as JsonObject }),
  };
}
