import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import {
  BatchImportErrorCodeSchema,
  VerificationErrorCodeSchema,
} from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { Reason } from "../../src/errors.js";
import { codeName, httpStatus } from "../../src/server/error-map.js";
import { readPage, readRows, readSection } from "./readme-blocks.js";

/** The reasons as `src/errors.ts` lists them: the union is not there at run time. */
const REASONS = readFileSync(new URL("../../src/errors.ts", import.meta.url), "utf8")
  .split("export type Reason =")[1]
  ?.split(";")[0]
  ?.match(/[A-Z_]+/g) as Reason[];

const page = readPage("docs/errors.md");
const refused = readSection(page, "Refused credentials");

describe("docs/errors.md", () => {
  test("has every reason in order, with its code and HTTP status", () => {
    const rows = readRows(page.replace(refused, "")).map(([reason, code, status]) => [reason, code, status]);
    expect(rows).toEqual(REASONS.map((reason) => [reason, `\`${codeName(reason)}\``, String(httpStatus(reason))]));
  });

  test("has every error code of verify in order", () => {
    const codes = readRows(refused).map(([code]) => code);
    expect(codes).toEqual(VerificationErrorCodeSchema.values.map(({ name }) => name));
  });

  test("names error codes of batch imports that exist", () => {
    const named = refused.match(/BATCH_IMPORT_ERROR_[A-Z_]+/g) ?? [];
    const known = BatchImportErrorCodeSchema.values.map(({ name }) => name);
    expect(named).toHaveLength(3);
    expect(known).toEqual(expect.arrayContaining(named));
  });
});
