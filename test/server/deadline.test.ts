import { describe, expect, test } from "@jest/globals";
import { requestDeadline } from "../../src/server/deadline.js";

const MAX_MS = 30_000;

describe("the deadline of a call", () => {
  test.each([
    [{}, MAX_MS],
    [{ "grpc-timeout": "1S" }, 1_000],
    [{ "grpc-timeout": "250m" }, 250],
    [{ "grpc-timeout": "99999999H" }, MAX_MS],
    [{ "connect-timeout-ms": "200" }, 200],
    [{ "connect-timeout-ms": "200", "grpc-timeout": "1S" }, 200],
  ])("of %j is %d ms", (headers, expected) => expect(requestDeadline(headers, MAX_MS)).toBe(expected));

  test.each([
    [{ "grpc-timeout": "1" }, "grpc-timeout: is not a valid timeout"],
    [{ "grpc-timeout": "-1S" }, "grpc-timeout: is not a valid timeout"],
    [{ "grpc-timeout": "123456789S" }, "grpc-timeout: is not a valid timeout"],
    [{ "connect-timeout-ms": "1s" }, "connect-timeout-ms: is not a valid timeout"],
    [{ "grpc-timeout": "0m" }, "the deadline passed before the call began"],
  ])("of %j is refused", (headers, message) => expect(() => requestDeadline(headers, MAX_MS)).toThrow(message));
});
