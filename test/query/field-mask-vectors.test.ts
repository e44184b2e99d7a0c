/** Masks of other implementations' test suites and of the AIPs (`source` in the vectors names each). */
import { readFileSync } from "node:fs";
import { create, type DescMessage, equals, fromJson, type JsonValue, setExtension } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FieldMaskSchema, FieldOptionsSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { AdminUpdateIssuedApiKeyRequestSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { maskable } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { IssuedApiKeySchema, KeyStatus } from "../../gen/latchkey/v2alpha1/resources_pb.js";
import { createApiKeysHandlers } from "../../src/handlers/api-keys-handlers.js";
import { compileMask } from "../../src/handlers/key-masks.js";
import type { HandlerCall } from "../../src/handlers/unary-handlers.js";
import { createFixture, type Fixture, issue, tenantId } from "../domain/fixture.js";
import { makeSchema } from "../rest/schema.js";
import { DECIDED_OTHERWISE, decisionOf, decisionOfValue } from "./field-mask-decisions.js";

interface UpdateVector {
  readonly name: string;
  readonly paths: readonly string[] | null;
  readonly src: JsonValue;
  readonly dst: JsonValue;
  readonly expected: JsonValue;
}
interface ValidateVector {
  readonly message: string;
  readonly paths: readonly string[] | null;
  readonly ok: boolean;
}

const vectors = JSON.parse(readFileSync(new URL("../vectors/field-mask.json", import.meta.url), "utf8")) as {
  readonly update: readonly UpdateVector[];
  readonly validate: readonly ValidateVector[];
  readonly behaviour: readonly { readonly rule: string }[];
};

/** The vectors' messages, with every field `maskable`. */
const schema = makeSchema({
  Message: {
    double: "double",
    float: "float",
    bool: "bool",
    string: "string",
    bytes: "bytes",
    int32: "int32",
    int64: "int64",
    repeated_double: "repeated double",
    repeated_float: "repeated float",
    repeated_bool: "repeated bool",
    repeated_string: "repeated string",
    repeated_bytes: "repeated bytes",
    repeated_message: "repeated .test.Message",
    message: ".test.Message",
    map_string_string: "map<string,string>",
    map_string_message: "map<string,.test.Message>",
    oneof_string: "oneof:oneof string",
    oneof_message1: "oneof:oneof .test.Message",
    oneof_message2: "oneof:oneof .test.Message",
  },
  Book: { name: "string", author: "string", title: "string", read: "bool" },
  CreateBookRequest: { parent: "string", book: ".test.Book" },
});

test("the vectors are all here", () => {
  expect([vectors.update.length, vectors.validate.length, vectors.behaviour.length]).toEqual([34, 8, 9]);
});

test("every update changes what it should, but for what is decided otherwise", () => {
  const desc = maskableMessage("Message");
  const decisions = vectors.update.map(({ name, paths, ...json }) => {
    const [src, dst, expected] = [json.src, json.dst, json.expected].map((value) => fromJson(desc, value));
    if (src === undefined || dst === undefined || expected === undefined) throw new Error("never");
    const fields = namedFields(desc, src, paths);
    if (typeof fields === "string") return { name, decision: decisionOf(fields) };
    apply(fields, reflect(desc, src), reflect(desc, dst));
    if (equals(desc, dst, expected)) return { name, decision: undefined };
    return { name, decision: decisionOfValue(equals(desc, dst, src)) };
  });
  expect(group(decisions)).toEqual(DECIDED_OTHERWISE.update);
});

test("every mask is taken, or is not, as it should be, but for what is decided otherwise", () => {
  const decisions = vectors.validate.map(({ message, paths, ok }) => {
    const desc = maskableMessage(message);
    const fields = namedFields(desc, create(desc), paths);
    const isAsExpected = (typeof fields !== "string") === ok;
    return {
      name: paths?.join() ?? "",
      decision: isAsExpected ? undefined : decisionOf(typeof fields === "string" ? fields : "taken"),
    };
  });
  expect(group(decisions)).toEqual(DECIDED_OTHERWISE.validate);
});

describe("every rule of the AIPs holds, or what is decided instead", () => {
  let domain: Fixture;
  beforeAll(async () => {
    domain = await createFixture();
  });
  afterAll(() => domain.dispose());

  const call: HandlerCall = {
    tenantId,
    caller: "test",
    clientAddress: undefined,
    requestHeaders: {},
    query: "",
    timeoutMs: undefined,
    responseHeaders: new Headers(),
    responseTrailers: new Headers(),
  };

  /** A new key's fields as they are after an update with this mask, or the message of the refusal. */
  async function update(
    changes: Readonly<Record<string, unknown>>,
    paths: readonly string[],
  ): Promise<object | string> {
    const { pageTokenKeys, publicJwks } = { pageTokenKeys: domain.secrets.sealing, publicJwks: () => never() };
    const handlers = createApiKeysHandlers(domain, { pageTokenKeys, publicJwks });
    const { keyId } = (await issue(domain, { name: "old", scopes: ["a"], actorId: "me" })).record;
    const request = create(AdminUpdateIssuedApiKeyRequestSchema, {
      issuedApiKey: create(IssuedApiKeySchema, { keyId, ...changes }),
      updateMask: create(FieldMaskSchema, { paths: [...paths] }),
    });
    try {
      return (await handlers.adminUpdateIssuedApiKey?.(request, call)) ?? never();
    } catch (error) {
      return String((error as Error).message);
    }
  }

  const UPDATABLE = "cannot be updated; what can is name, scopes, metadata, rate_limit_policy, ip_restriction";
  const fieldsOf = (desc: DescMessage) => desc.fields.map(({ name }) => name);

  const checks: Readonly<Record<string, () => Promise<void> | void>> = {
    "OUTPUT_ONLY listed directly or via * or a parent: input value ignored, no error": async () => {
      const revoked = { name: "new", status: KeyStatus.REVOKED };
      expect(await update(revoked, ["*"])).toMatchObject({ name: "new", scopes: [], status: KeyStatus.ACTIVE });
      expect(await update(revoked, ["status"])).toBe(`update_mask: "status" (output only) ${UPDATABLE}`);
    },
    "IMMUTABLE in mask: ignore if equal, INVALID_ARGUMENT if a change is requested": async () => {
      for (const actorId of ["me", "other"]) {
        expect(await update({ actorId }, ["actor_id"])).toBe(`update_mask: "actor_id" (immutable) ${UPDATABLE}`);
      }
    },
    "REQUIRED in mask and empty: INVALID_ARGUMENT": async () => {
      expect(await update({}, ["name"])).toBe("issued_api_key.name: is required");
      expect(await update({}, ["*"])).toBe("issued_api_key.name: is required");
    },
    "path that cannot exist on write: INVALID_ARGUMENT (SHOULD); on read MAY ignore": async () => {
      expect(await update({}, ["title"])).toBe(`update_mask: "title" (no such field) ${UPDATABLE}`);
    },
    "index into repeated: INVALID_ARGUMENT (MUST)": async () => {
      expect(await update({}, ["scopes.0"])).toBe(`update_mask: "scopes.0" (a part of scopes) ${UPDATABLE}`);
    },
    "paths relative to the resource, not the request (title, not book.title)": async () => {
      expect(await update({ name: "new" }, ["name"])).toMatchObject({ name: "new", scopes: ["a"] });
      expect(await update({ name: "new" }, ["issued_api_key.name"])).toBe(
        `update_mask: "issued_api_key.name" (no such field) ${UPDATABLE}`,
      );
    },
    "etag present and different: ABORTED; update_mask does not affect etag": () => {
      expect(fieldsOf(IssuedApiKeySchema)).not.toContain("etag");
    },
    "allow_missing + missing resource: mask ignored, all fields applied": () => {
      expect(fieldsOf(AdminUpdateIssuedApiKeyRequestSchema)).toEqual(["issued_api_key", "update_mask"]);
    },
    // What REST takes is in test/rest/json-decode.test.ts, and test/e2e/rest.test.ts sends it.
    "JSON form of FieldMask: one comma-separated string, lowerCamelCase; a path that does not round-trip snake<->camel (e.g. foo__bar, fooBar) fails to serialize":
      () => {
        expect(fromJson(FieldMaskSchema, "ipRestriction,name").paths).toEqual(["ip_restriction", "name"]);
        expect(() => fromJson(FieldMaskSchema, "ip_restriction")).toThrow("lowerCamelCase");
      },
  };

  test.each(vectors.behaviour.map(({ rule }) => rule))("%s", (rule) => (checks[rule] ?? never)());

  test("each decision is about a rule that there is", () => {
    const rules = vectors.behaviour.map(({ rule }) => rule);
    expect(Object.keys(checks)).toEqual(rules);
    for (const rule of Object.values(DECIDED_OTHERWISE.behaviour).flat()) expect(rules).toContain(rule);
  });
});

function maskableMessage(name: string): DescMessage {
  const desc = schema.message(name);
  for (const { proto } of desc.fields) {
    proto.options ??= create(FieldOptionsSchema);
    setExtension(proto.options, maskable, true);
  }
  return desc;
}

/** The fields that a mask names, or the message of the one refusal that there is. */
function namedFields(
  desc: DescMessage,
  src: ReturnType<typeof create>,
  paths: readonly string[] | null,
): ReadonlySet<string> | string {
  try {
    return compileMask(desc)(src, paths === null ? undefined : create(FieldMaskSchema, { paths: [...paths] }));
  } catch (error) {
    expect(error).toHaveProperty("reason", "INVALID_UPDATE_MASK");
    return String((error as Error).message);
  }
}

/** What an update does with the fields that are named: each is taken over as it is, or cleared when it has no value. */
function apply(fields: ReadonlySet<string>, src: ReflectMessage, dst: ReflectMessage): void {
  for (const field of src.fields.filter(({ name }) => fields.has(name))) {
    if (src.isSet(field)) dst.set(field, src.get(field));
    else dst.clear(field);
  }
}

/** Decision -> the vectors that it is about. */
function group(decisions: readonly { name: string; decision: string | undefined }[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const { name, decision } of decisions) {
    if (decision !== undefined) groups[decision] = [...(groups[decision] ?? []), name];
  }
  return groups;
}

function never(): never {
  throw new Error("never");
}
