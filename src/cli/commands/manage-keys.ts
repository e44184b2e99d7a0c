/** `latchkey keys issue|import|get|update|rotate|revoke|delete`: what is done to a key by its id. */
import type { JsonObject } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import { objectOf } from "../answer-parts.js";
import type { Rpc } from "../client/client.js";
import { CommandFailure } from "../command-failure.js";
import { EXIT_CODE } from "../exit-code.js";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";
import {
  type ChangeOptions,
  changedFields,
  type NewKeyOptions,
  newKeyFields,
  visibilityField,
  withChanges,
  withNewKeyOptions,
  withRequestId,
  withVisibility,
} from "./key-options.js";
import { type ClientOptions, withClientOptions } from "./options.js";
import { type CredentialOptions, readCredential, withCredential } from "./read-credential.js";
import type { Style } from "./style.js";
import { withClient } from "./with-client.js";
import { type FormatAnswer, formatObject, writeAnswer } from "./write-answer.js";

/** Ids of imported keys; those of issued keys are UUIDs. */
const IMPORTED_KEY_ID = /^[0-9a-f]{64}$/;

/** Values of `--reason`, as RevocationReason has them. */
export const REASONS = ["key-compromise", "affiliation-changed", "superseded", "privilege-withdrawn"];

const NO_CHANGE = "there is nothing to change: give --name, --scope or another option";

const NOT_DELETABLE = "only imported keys can be deleted, and that is no id of one: latchkey keys revoke ends any key";

interface IssueOptions extends ClientOptions, NewKeyOptions {
  readonly visibility?: string;
}

interface ImportOptions extends ClientOptions, NewKeyOptions, CredentialOptions {}

interface UpdateOptions extends ClientOptions, ChangeOptions {}

interface RotateOptions extends ClientOptions, ChangeOptions {
  readonly visibility?: string;
  readonly gracePeriod?: string;
  readonly requestId?: string;
}

interface RevokeOptions extends ClientOptions {
  readonly reason?: string;
  readonly description?: string;
}

export function addManageCommands(keys: Command, context: CommandContext): void {
  const issue = keys.command("issue <name>").description("issue a key, and show its secret, once");
  withClientOptions(withVisibility(withNewKeyOptions(issue))).action((name: string, options: IssueOptions) =>
    runCall(
      options,
      "adminIssueApiKey",
      { name, ...newKeyFields(options), ...visibilityField(options.visibility) },
      formatNewKey,
    ),
  );

  const importKey = keys.command("import <name>").description("import a key that was made elsewhere");
  withClientOptions(withNewKeyOptions(withCredential(importKey))).action(
    (name: string, word: string | undefined, options: ImportOptions) =>
      runCommand(context, async () => {
        const rawKey = await readCredential(word, options, context);
        return callAndWrite(options, "adminImportApiKey", { name, raw_key: rawKey, ...newKeyFields(options) });
      }),
  );

  const get = keys.command("get <key-id>").description("show a key");
  withClientOptions(get).action((keyId: string, options: ClientOptions) =>
    runCall(options, isImported(keyId) ? "adminGetImportedApiKey" : "adminGetIssuedApiKey", { key_id: keyId }),
  );

  const update = keys.command("update <key-id>").description("change a key");
  withClientOptions(withChanges(update)).action((keyId: string, options: UpdateOptions) =>
    runCommand(context, () => {
      const { fields, mask } = changedFields(options);
      if (mask.length === 0) throw new CommandFailure(NO_CHANGE, EXIT_CODE.usage);
      return callAndWrite(options, ...updateRequest(keyId, fields, mask));
    }),
  );

  const rotate = keys
    .command("rotate <key-id>")
    .description("replace an issued key by a new one, and show its secret, once")
    .option("--grace-period <duration>", "how long the old key stays active, such as 1d");
  withClientOptions(withRequestId(withVisibility(withChanges(rotate)))).action(
    (keyId: string, options: RotateOptions) =>
      runCommand(context, () =>
        callAndWrite(options, "adminRotateIssuedApiKey", rotateRequest(keyId, options), formatNewKey),
      ),
  );

  const revoke = keys
    .command("revoke <key-id>")
    .description("revoke a key for good")
    .addOption(new Option("--reason <reason>", "why").choices(REASONS))
    .option("--description <text>", "why in words; with privilege-withdrawn only");
  withClientOptions(revoke).action((keyId: string, options: RevokeOptions) =>
    runCall(options, "adminRevokeApiKey", revokeRequest(keyId, options), () => `revoked ${keyId}\n`),
  );

  const remove = keys
    .command("delete <key-id>")
    .description("delete an imported key, which is unknown then and can be imported again");
  withClientOptions(remove).action((keyId: string, options: ClientOptions) =>
    runCommand(context, () => {
      if (!isImported(keyId)) throw new CommandFailure(NOT_DELETABLE);
      return callAndWrite(options, "adminDeleteImportedApiKey", { key_id: keyId }, () => `deleted ${keyId}\n`);
    }),
  );

  function runCall(options: ClientOptions, rpc: Rpc, request: JsonObject, table?: FormatAnswer): Promise<void> {
    return runCommand(context, () => callAndWrite(options, rpc, request, table));
  }

  /** The answer is written before the client is closed: whatever fails then, a secret in it is not lost. */
  function callAndWrite(options: ClientOptions, rpc: Rpc, request: JsonObject, table?: FormatAnswer) {
    return withClient(context, options, async (client) => {
      const answer = await client.call(rpc, request);
      const isWritten = await writeAnswer(context, options.format, answer, table);
      if (!isWritten && answer.secret) throw lostSecret(answer);
      return EXIT_CODE.ok;
    });
  }
}

/** It is in that answer and nowhere else. */
function lostSecret(answer: JsonObject): CommandFailure {
  const { key_id: keyId } = objectOf(answer, "issued_api_key");
  return new CommandFailure(`the key ${keyId} was made, but its secret could not be written: rotate or revoke it`);
}

/** The value of an enum of the API that an option's choice stands for. */
export function reasonField(reason: string | undefined): JsonObject {
  return reason === undefined ? {} : { reason: `REVOCATION_REASON_${reason.replaceAll("-", "_").toUpperCase()}` };
}

function updateRequest(keyId: string, fields: JsonObject, mask: readonly string[]): [Rpc, JsonObject] {
  const key = { key_id: keyId, ...fields };
  const updateMask = mask.join(",");
  return isImported(keyId)
    ? ["adminUpdateImportedApiKey", { imported_api_key: key, update_mask: updateMask }]
    : ["adminUpdateIssuedApiKey", { issued_api_key: key, update_mask: updateMask }];
}

/** With a mask when something is overridden: without one, an empty value would not count. */
function rotateRequest(keyId: string, { visibility, gracePeriod, requestId, ...changes }: RotateOptions): JsonObject {
  const { fields, mask } = changedFields(changes);
  const paths = [...mask, ...(visibility === undefined ? [] : ["visibility"])];
  return {
    key_id: keyId,
    ...fields,
    ...visibilityField(visibility),
    ...(paths.length > 0 && { update_mask: paths.join(",") }),
    ...(gracePeriod !== undefined && { grace_period: gracePeriod }),
    ...(requestId !== undefined && { request_id: requestId }),
  };
}

function revokeRequest(keyId: string, { reason, description }: RevokeOptions): JsonObject {
  return { key_id: keyId, ...reasonField(reason), ...(description !== undefined && { description }) };
}

function isImported(keyId: string): boolean {
  return IMPORTED_KEY_ID.test(keyId);
}

/** The key, and its secret; of a rotation what is left of the old key, too. */
function formatNewKey(
  { issued_api_key: key, old_issued_api_key: old, secret, ...rest }: JsonObject,
  style: Style,
): string {
  const { key_id: oldId, status: oldStatus } = (old ?? {}) as JsonObject;
  const shown: JsonObject = {
    ...(key as JsonObject),
    ...(rest.secret_expired === true ? { secret_expired: true } : { secret: secret ?? "" }),
  };
  const before: JsonObject = old === undefined ? {} : { old_key_id: oldId ?? "", old_status: shortStatus(oldStatus) };
  return formatObject({ ...shown, ...before }, style);
}

function shortStatus(status: unknown): string {
  return String(status ?? "").replace("KEY_STATUS_", "");
}
