import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { readHttpRules } from "../../src/rest/http-rules.js";
import { compileResponse } from "../../src/rest/response.js";
import { makeSchema } from "./schema.js";

test.each([
  ["", '{"names":["x"],"id":""}'],
  ["names", '["x"]'],
  ["id", '""'],
])("response_body %j", (responseBody, text) => {
  const { service } = makeSchema(
    { Reply: { names: "repeated string", id: "string" } },
    { Call: { input: "Reply", rule: { pattern: { case: "get", value: "/a" }, responseBody } } },
  );
  const [binding] = readHttpRules(service);
  if (!binding) throw new Error("no binding");
  const reply = create(binding.method.output, { names: ["x"] } as Record<string, unknown>);
  expect(compileResponse(binding)(reply)).toBe(text);
});
