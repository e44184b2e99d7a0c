import type { JsonObject } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { objectsOf } from "../answer-parts.js";
import type { Client } from "../client/client.js";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";
import { showable } from "../showable.js";
import { cellOf } from "./answer-cells.js";
import { type ClientOptions, parseCount, withClientOptions } from "./options.js";
import { createStyle } from "./style.js";
import { Table } from "./table.js";
import { withClient } from "./with-client.js";
import { writeAnswer } from "./write-answer.js";

interface ListOptions extends ClientOptions {
  readonly imported?: boolean;
  readonly filter?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly all?: boolean;
}

const COLUMNS = ["key_id", "name", "actor_id", "status", "create_time", "expire_time", "last_used_time", "scopes"];

export function addListCommand(keys: Command, context: CommandContext): void {
  const command = keys
    .command("list")
    .description("list keys, newest first")
    .option("--imported", "imported keys instead of issued ones")
    .option("--filter <filter>", "which keys (AIP-160), such as 'actor_id = \"me\" AND status = KEY_STATUS_ACTIVE'")
    .option("--page-size <n>", "most keys of a page", parseCount)
    .option("--page-token <token>", "goes on after the page whose next_page_token this is")
    .option("--all", "every page, one after another");
  withClientOptions(command).action((options: ListOptions) =>
    runCommand(context, () => withClient(context, options, (client) => list(client, options, context))),
  );
}

async function list(client: Client, options: ListOptions, context: CommandContext): Promise<undefined> {
  const { format } = options;
  const field = options.imported === true ? "imported_api_keys" : "issued_api_keys";
  const table = new Table(COLUMNS, createStyle(context));
  const all: JsonObject[] = [];
  let next = "";
  for await (const page of pages(client, options)) {
    const keys = objectsOf(page, field);
    next = String(page.next_page_token ?? "");
    if (format !== "table") for (const key of keys) all.push(key);
    // An empty page before others says nothing of how wide the columns are.
    else if (keys.length > 0) context.stdout.write(table.format(keys.map(rowOf)));
  }
  if (format !== "table") await writeAnswer(context, format, { [field]: all, next_page_token: next });
  else if (next !== "") context.stderr.write(`there are more: --all, or --page-token ${showable(next)}\n`);
  return undefined;
}

async function* pages(client: Client, options: ListOptions): AsyncGenerator<JsonObject> {
  const { imported, filter, pageSize, pageToken = "", all } = options;
  let token = pageToken;
  do {
    const page = await client.call(imported === true ? "adminListImportedApiKeys" : "adminListIssuedApiKeys", {
      ...(filter !== undefined && { filter }),
      ...(pageSize !== undefined && { page_size: pageSize }),
      ...(token !== "" && { page_token: token }),
    });
    yield page;
    token = String(page.next_page_token ?? "");
  } while (all === true && token !== "");
}

function rowOf(key: JsonObject) {
  return COLUMNS.map((name) => cellOf(key, name));
}
