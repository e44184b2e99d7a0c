import { expect, test } from "@jest/globals";
import { isLoopback } from "../../src/config/loopback.js";

test.each(["127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "localhost", "LocalHost"])(
  "%s is loopback",
  (host) => {
    expect(isLoopback(host)).toBe(true);
  },
);

test.each(["0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "127.1", "localhost.example.com", "localhost.", "::2", ""])(
  "%s is not",
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
