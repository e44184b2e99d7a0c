import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../src/store/key-store.js";
import type { SampleRecord } from "./sample-documents.js";

/** Few, so that filters and records meet: what looks like something else, and what orders in an unusual way. */
const TEXTS = [
  "",
  "a",
  "ab",
  "b",
  "A",
  "é",
  "42",
  "-1",
  "true",
  "null",
  "*",
  "a*",
  "a.b",
  "$ne",
  ".",
  "a\n",
  "😀",
  "0",
];
/** Without "constructor": mingo calls it. */
const KEYS = ["a", "b", "0", "a.b", "$where", "__proto__", "toString", ""];
const NUMBERS = [-1, 0, 0.5, 1, 42];
const TIMES_MS = [-1, 0, 999, 1000, 1001];
const STATUSES = ["ACTIVE", "REVOKED"];
const VISIBILITIES = ["SECRET", "PUBLIC"];
const ORDERS = ["<", "<=", ">", ">="];
const EQUALITIES = ["=", "!="];

const text = fc.constantFrom(...TEXTS);
const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 5, arbitrary: fc.oneof(text, fc.constantFrom(...NUMBERS), fc.boolean(), fc.constant(null)) },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    { weight: 3, arbitrary: tie("object") },
  ),
  object: objectOf(tie("value")),
})).value;
const time = fc.constantFrom(...TIMES_MS).map((timeMs) => new Date(timeMs));
const absent = fc.constant(undefined);

/** Records of `SAMPLE_FIELDS` in which any field may be absent. */
export const sampleRecord: fc.Arbitrary<SampleRecord> = fc.record({
  name: fc.oneof(absent, text),
  actor_id: fc.oneof(absent, text),
  status: fc.oneof(absent, fc.constantFrom(...STATUSES)),
  visibility: fc.oneof(absent, fc.constantFrom(...VISIBILITIES)),
  create_time: fc.oneof(absent, time),
  expire_time: fc.oneof(absent, time),
  "limit.window": fc.oneof(absent, fc.constantFrom(...NUMBERS)),
  "limit.quota": fc.oneof(absent, fc.constantFrom(...NUMBERS)),
  pinned: fc.oneof(absent, fc.boolean()),
  scopes: fc.oneof(absent, fc.array(text, { maxLength: 3 })),
  metadata: fc.oneof({ weight: 1, arbitrary: absent }, { weight: 6, arbitrary: objectOf(json) }),
});

const quoted = fc.oneof(
  text.map((value) => quote(value)),
  // With wildcards.
  fc
    .tuple(fc.constantFrom("", "*"), text, fc.constantFrom("", "*"))
    .map(([before, value, after]) => quote(value, before, after)),
);
const bare = fc.constantFrom("a", "ab", "42", "-1", "0", "0.5", "true", "null", "*", "a*", "a.b", "$ne", "é");
const textual = fc.oneof(quoted, bare);
const timestamp = fc
  .tuple(fc.constantFrom(...TIMES_MS), fc.constantFrom("", "0001"))
  .map(([timeMs, rest]) => `"${new Date(timeMs).toISOString().replace("Z", `${rest}Z`)}"`);
const duration = fc.constantFrom(...NUMBERS).map((milliseconds) => `${milliseconds / 1000}s`);
const path = fc
  .array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 3 })
  .map((keys) => ["metadata", ...keys.map((key) => (key === "a" ? key : quote(key)))].join("."));

const restriction = fc.oneof(
  { weight: 3, arbitrary: compared(fc.constantFrom("name", "actor_id"), [...EQUALITIES, ...ORDERS, ":"], textual) },
  { weight: 1, arbitrary: compared(fc.constant("status"), [...EQUALITIES, ":"], fc.constantFrom(...STATUSES)) },
  { weight: 1, arbitrary: compared(fc.constant("visibility"), EQUALITIES, fc.constantFrom(...VISIBILITIES)) },
  {
    weight: 2,
    arbitrary: compared(fc.constantFrom("create_time", "expire_time"), [...EQUALITIES, ...ORDERS], timestamp),
  },
  { weight: 1, arbitrary: compared(fc.constant("limit.window"), [...EQUALITIES, ...ORDERS], duration) },
  {
    weight: 1,
    arbitrary: compared(
      fc.constant("limit.quota"),
      [...EQUALITIES, ...ORDERS, ":"],
      fc.constantFrom("-1", "0", "0.5", "42"),
    ),
  },
  { weight: 1, arbitrary: compared(fc.constant("pinned"), [...EQUALITIES, ":"], fc.constantFrom("true", "false")) },
  { weight: 2, arbitrary: compared(fc.constantFrom("scopes", "metadata"), [":"], textual) },
  { weight: 6, arbitrary: compared(path, [...EQUALITIES, ...ORDERS, ":", ":"], textual) },
  {
    weight: 2,
    arbitrary: fc
      .oneof(path, fc.constantFrom("name", "visibility", "expire_time", "limit.window", "pinned", "scopes", "metadata"))
      .map((field) => `${field}:*`),
  },
);

/** Texts of filters on `SAMPLE_FIELDS` that are taken. */
export const filterText: fc.Arbitrary<string> = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: restriction },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom("NOT ", "-"), tie("filter")).map(([not, term]) => `${not}(${term})`),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(tie("filter"), fc.constantFrom(" ", " AND ", " OR "), tie("filter"))
        .map(([left, connective, right]) => `(${left}${connective}${right})`),
    },
  ),
})).filter;

function objectOf(value: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> {
  return fc
    .array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries));
}

function compared(field: fc.Arbitrary<string>, operators: readonly string[], value: fc.Arbitrary<string>) {
  return fc
    .tuple(field, fc.constantFrom(...operators), value)
    .map(([name, operator, literal]) => `${name} ${operator} ${literal}`);
}

function quote(value: string, before = "", after = ""): string {
  return `"${before}${value.replace(/[\\"*]/g, "\\$&")}${after}"`;
}
