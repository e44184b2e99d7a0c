import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { readErrorCatalogue } from "../../scripts/reference/error-catalogue.js";
import { type Reason, ServiceError } from "../../src/errors.js";
import {
  codeName,
  connectErrorFromServiceError,
  httpStatus,
  jsonFromServiceError,
} from "../../src/server/error-map.js";

const REASONS = readErrorCatalogue().map(({ reason }) => reason);

const CANONICAL = (
  JSON.parse(readFileSync(new URL("../vectors/http-rule.json", import.meta.url), "utf8")) as {
    http_status: Record<string, number | string>;
  }
).http_status;

/** Where the contract departs from the canonical status of the code, and why. */
const DEPARTURES: Partial<Record<Reason, number>> = {
  KEY_NOT_ACTIVE: 409, // FAILED_PRECONDITION, as ALREADY_EXISTS and ABORTED are
  METHOD_NOT_ALLOWED: 405, // REST only
  PAYLOAD_TOO_LARGE: 413, // REST only
  UNSUPPORTED_MEDIA_TYPE: 415, // REST only
};

describe("every reason", () => {
  test("is one of 27", () => expect(REASONS).toHaveLength(27));

  test.each(REASONS)("%s has the canonical HTTP status of its code, or a departure with a reason", (reason) => {
    expect(httpStatus(reason)).toBe(DEPARTURES[reason] ?? CANONICAL[codeName(reason)]);
  });
});

describe("an error", () => {
  const error = new ServiceError("INVALID_ARGUMENT", "name: is required", {
    fields: [{ field: "name", description: "is required" }],
    metadata: { limit: "255" },
    cause: new Error("secret cause"),
  });

  test("carries ErrorInfo and BadRequest in its details, and never its cause", () => {
    const connectError = connectErrorFromServiceError(error);
    const [info, badRequest] = connectError.details as { type: string; value: Uint8Array }[];
    expect(connectError).toMatchObject({ rawMessage: "name: is required", cause: undefined });
    expect(info?.type).toBe("google.rpc.ErrorInfo");
    expect(fromBinary(ErrorInfoSchema, info?.value ?? new Uint8Array())).toMatchObject({
      reason: "INVALID_ARGUMENT",
      domain: "latchkey",
      metadata: { limit: "255" },
    });
    expect(badRequest?.type).toBe("google.rpc.BadRequest");
    expect(fromBinary(BadRequestSchema, badRequest?.value ?? new Uint8Array())).toMatchObject({
      fieldViolations: [{ field: "name", description: "is required" }],
    });
  });

  test("is the envelope of AIP-193 over REST", () => {
    expect(jsonFromServiceError(error)).toEqual({
      error: {
        code: 400,
        status: "INVALID_ARGUMENT",
        message: "name: is required",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "INVALID_ARGUMENT",
            domain: "latchkey",
            metadata: { limit: "255" },
          },
          {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            field_violations: [{ field: "name", description: "is required" }],
          },
        ],
      },
    });
  });
});
