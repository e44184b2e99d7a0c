import type { MongoFields } from "../../src/query/compile-mongo.js";
import type { JsonObject } from "../../src/store/key-store.js";
import { documentFromMetadata, escapeKey } from "../../src/store/mongo/metadata-document.js";

/** What `SAMPLE_FIELDS` names, by path; absent is without a value. */
export interface SampleRecord {
  readonly name?: string | undefined;
  readonly actor_id?: string | undefined;
  readonly status?: string | undefined;
  readonly visibility?: string | undefined;
  readonly create_time?: Date | undefined;
  readonly expire_time?: Date | undefined;
  readonly "limit.window"?: number | undefined;
  readonly "limit.quota"?: number | undefined;
  readonly pinned?: boolean | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly metadata?: JsonObject | undefined;
}

/** Of these fields all but status can be compiled, and of visibility one value. */
export const SAMPLE_MONGO_FIELDS: MongoFields = {
  name: { path: "name" },
  actor_id: { path: "actor" },
  visibility: { path: "visibility", values: { PUBLIC: "public" } },
  create_time: { path: "create_time" },
  expire_time: { path: "expire_time" },
  "limit.window": { path: "limit.window_ms" },
  "limit.quota": { path: "limit.quota" },
  pinned: { path: "pinned" },
  scopes: { path: "scopes" },
  metadata: { path: "metadata", escapeKey },
};

export function documentFromSample(record: SampleRecord): Record<string, unknown> {
  return withoutUndefined({
    name: record.name,
    actor: record.actor_id,
    visibility: record.visibility?.toLowerCase(),
    create_time: record.create_time,
    expire_time: record.expire_time,
    limit: withoutUndefined({ window_ms: record["limit.window"], quota: record["limit.quota"] }),
    pinned: record.pinned,
    scopes: record.scopes,
    metadata: record.metadata && documentFromMetadata(record.metadata),
  });
}

function withoutUndefined(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
