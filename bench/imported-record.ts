import { randomBytes } from "node:crypto";
import { NIL_TENANT_ID } from "../src/domain/context.js";
import type { KeyRecord } from "../src/store/key-store.js";
import { KEY_ATTRIBUTES } from "./api.js";

const RANDOM_BYTES = 32;

/** As an import of a key with `KEY_ATTRIBUTES` makes it. */
export function createImportedRecord(): KeyRecord {
  const now = new Date();
  return {
    tenantId: NIL_TENANT_ID,
    keyId: randomBytes(RANDOM_BYTES).toString("hex"),
    kind: "imported",
    version: 1,
    name: KEY_ATTRIBUTES.name,
    actorId: KEY_ATTRIBUTES.actor_id,
    scopes: KEY_ATTRIBUTES.scopes,
    visibility: "secret",
    metadata: KEY_ATTRIBUTES.metadata,
    createTime: now,
    updateTime: now,
    listed: { status: "active" },
    deriveSeed: randomBytes(RANDOM_BYTES),
  };
}
