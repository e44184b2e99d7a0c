import type { FilterFields } from "../../src/query/filter-fields.js";

/** A table with a field of every type. */
export const SAMPLE_FIELDS: FilterFields = [
  { path: "name", type: "string" },
  { path: "actor_id", type: "string", indexed: "equality" },
  { path: "status", type: "enum", values: ["ACTIVE", "REVOKED"], indexed: "equality" },
  { path: "visibility", type: "enum", values: ["SECRET", "PUBLIC"] },
  { path: "create_time", type: "timestamp", indexed: "range" },
  { path: "expire_time", type: "timestamp" },
  { path: "limit.window", type: "duration" },
  { path: "limit.quota", type: "number" },
  { path: "pinned", type: "bool" },
  { path: "scopes", type: "string list" },
  { path: "metadata", type: "struct" },
];
