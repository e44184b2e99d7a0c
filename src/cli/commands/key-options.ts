/** Options that say what a key is to be, and the request fields they become. */
import type { JsonObject } from "@bufbuild/protobuf";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CommandFailure } from "../command-failure.js";
import { EXIT_CODE } from "../exit-code.js";
import { collect, parseCount, parseJsonObject } from "./options.js";

/** What may be changed of a key. */
export interface AttributeOptions {
  readonly scope?: readonly string[];
  readonly metadata?: Record<string, unknown>;
  readonly quota?: number;
  readonly window?: string;
  readonly unit?: string;
  readonly allowCidr?: readonly string[];
}

export interface NewKeyOptions extends AttributeOptions {
  readonly actor: string;
  readonly ttl?: string;
  readonly requestId?: string;
}

export interface ChangeOptions extends AttributeOptions {
  readonly name?: string;
  readonly clear?: readonly string[];
}

/** Fields that can be made empty. */
const CLEARABLE = ["scopes", "metadata", "rate_limit_policy", "ip_restriction"];

export function withNewKeyOptions(command: Command): Command {
  command
    .requiredOption("--actor <id>", "whom the key acts for")
    .option("--ttl <duration>", "how long it lives, such as 90d, 1y or 1h30m");
  return withRequestId(withAttributes(command));
}

export function withAttributes(command: Command): Command {
  return command
    .option("--scope <scope>", "what it may be used for; may be given several times", collect)
    .option("--metadata <json>", "JSON object to find again on verify", parseJsonObject)
    .option("--quota <n>", "units allowed in a window", parseCount)
    .option("--window <duration>", "length of the window, such as 1m")
    .addOption(
      new Option("--unit <unit>", "what is counted").choices(["requests", "content-bytes", "concurrent-requests"]),
    )
    .option("--allow-cidr <network>", "network it may be used from; may be given several times", collect);
}

export function withChanges(command: Command): Command {
  command.option("--name <name>", "what people call it");
  const clear = new Option("--clear <field>", "makes a field empty; may be given several times").choices(CLEARABLE);
  return withAttributes(command).addOption(clear.argParser(collectClearable));
}

export function withRequestId(command: Command): Command {
  return command.option("--request-id <id>", "makes it safe to repeat the command, such as a UUID");
}

export function withVisibility(command: Command): Command {
  return command.addOption(
    new Option("--visibility <visibility>", "whether others may see it").choices(["secret", "public"]),
  );
}

export function newKeyFields({ actor, ttl, requestId, ...attributes }: NewKeyOptions): JsonObject {
  return {
    actor_id: actor,
    ...attributeFields(attributes),
    ...(ttl !== undefined && { ttl }),
    ...(requestId !== undefined && { request_id: requestId }),
  };
}

/** The fields that change, and the mask that names them and those that are made empty. @throws CommandFailure */
export function changedFields({ name, clear = [], ...attributes }: ChangeOptions): {
  readonly fields: JsonObject;
  readonly mask: readonly string[];
} {
  const fields = { ...(name !== undefined && { name }), ...attributeFields(attributes) };
  const both = clear.find((field) => field in fields);
  if (both !== undefined) throw new CommandFailure(`${both} cannot be set and cleared at once`, EXIT_CODE.usage);
  return { fields, mask: [...new Set([...Object.keys(fields), ...clear])] };
}

export function visibilityField(visibility: string | undefined): JsonObject {
  return visibility === undefined ? {} : { visibility: `KEY_VISIBILITY_${visibility.toUpperCase()}` };
}

function attributeFields({ scope, metadata, quota, window, unit, allowCidr }: AttributeOptions): JsonObject {
  const policy = {
    ...(quota !== undefined && { quota: String(quota) }),
    ...(window !== undefined && { window }),
    ...(unit !== undefined && { unit }),
  };
  return {
    ...(scope !== undefined && { scopes: [...scope] }),
    ...(metadata !== undefined && { metadata: metadata as JsonObject }),
    ...(Object.keys(policy).length > 0 && { rate_limit_policy: policy }),
    ...(allowCidr !== undefined && { ip_restriction: { allowed_cidrs: [...allowCidr] } }),
  };
}

function collectClearable(value: string, before: readonly string[] = []): readonly string[] {
  if (!CLEARABLE.includes(value)) throw new InvalidArgumentError(`Allowed choices are ${CLEARABLE.join(", ")}.`);
  return collect(value, before);
}
