import { type Command, InvalidArgumentError, Option } from "commander";

export const FORMATS = ["table", "json", "yaml"] as const;

export type Format = (typeof FORMATS)[number];

export const ENDPOINT = "the service, as http://, https://, grpc:// or grpcs:// and its address";

/** Options of every command that makes calls. */
export interface ClientOptions {
  readonly endpoint?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly config?: string;
  readonly format: Format;
}

export function withConfigOption(command: Command): Command {
  return command.option("--config <file>", "YAML file with settings; LATCHKEY_* variables win over it");
}

export function withClientOptions(command: Command): Command {
  withConfigOption(
    command.option(
      "--endpoint <url>",
      `${ENDPOINT}; else LATCHKEY_ENDPOINT, else the one on this machine, else its store`,
    ),
  )
    .option("--token-file <file>", "file with the bearer token; else LATCHKEY_TOKEN, else the data directory's token")
    .addOption(
      new Option("--token <token>", "the token itself, which other users of this machine can see").conflicts(
        "tokenFile",
      ),
    );
  return withFormatOption(command);
}

export function withFormatOption(command: Command): Command {
  return command.addOption(
    new Option("--format <format>", "how the answer is written").choices(FORMATS).default("table"),
  );
}

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A JSON object, such as metadata. */
export function parseJsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Falls through: text that is not JSON is no object either.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError("It must be a JSON object.");
  }
  return value as Record<string, unknown>;
}

/** A whole number, 0 or more. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) throw new InvalidArgumentError("It must be a whole number.");
  return count;
}
