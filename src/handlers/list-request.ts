import type { DomainContext } from "../domain/context.js";
import { KEY_FIELDS } from "../domain/key-fields.js";
import { type KeyPage, listKeys } from "../domain/list-keys.js";
import { invalidArgument } from "../errors.js";
import { checkFilter } from "../query/filter-checker.js";
import { invalidPageToken, openPageToken, type PageTokenKeys, sealPageToken } from "../query/page-token.js";
import type { KeyKind, KeyRecord, ListCursor } from "../store/key-store.js";

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;
/** gRPC clients take 4 MiB by default; REST JSON of the same keys is larger, but has no such limit. */
const MAX_PAGE_BYTES = 3 * 1024 * 1024;

interface ListRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly filter: string;
}

interface ListScope {
  readonly tenantId: string;
  readonly kind: KeyKind;
  /** Encoded size of a key in the answer. */
  readonly bytesOf: (record: KeyRecord) => number;
}

/** A page of keys, and the token of the next one (empty after the last). */
export async function listPage(
  context: DomainContext,
  tokenKeys: PageTokenKeys,
  { pageSize, pageToken, filter }: ListRequest,
  scope: ListScope,
): Promise<Pick<KeyPage, "records" | "time"> & { readonly nextPageToken: string }> {
  if (pageSize < 0) throw invalidArgument("page_size", "must not be negative");
  const { tenantId, kind, bytesOf } = scope;
  // Each kind has one RPC that lists it.
  const tokenScope = [tenantId, kind, filter];
  const now = context.clock().getTime();

  const page = await listKeys(context, {
    tenantId,
    kind,
    filter: checkFilter(filter, KEY_FIELDS),
    after: pageToken === "" ? undefined : parseCursor(openPageToken(pageToken, tokenScope, tokenKeys, now)),
    pageSize: Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE),
    maxBytes: MAX_PAGE_BYTES,
    bytesOf,
  });
  const nextPageToken = page.next ? sealPageToken(formatCursor(page.next), tokenScope, tokenKeys, now) : "";
  return { records: page.records, time: page.time, nextPageToken };
}

function formatCursor({ createTime, keyId }: ListCursor): string {
  return `${createTime.getTime()} ${keyId}`;
}

function parseCursor(position: string): ListCursor {
  const [createTimeMs = "", keyId = ""] = position.split(" ");
  const createTime = new Date(Number(createTimeMs));
  if (keyId === "" || Number.isNaN(createTime.getTime())) throw invalidPageToken();
  return { createTime, keyId };
}
