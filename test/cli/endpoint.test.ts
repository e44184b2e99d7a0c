import { expect, test } from "@jest/globals";
import { parseEndpoint } from "../../src/cli/client/endpoint.js";

test.each([
  ["http://127.0.0.1:4420", "rest", false, "127.0.0.1:4420", ""],
  ["http://host", "rest", false, "host", ""],
  ["HTTPS://host/keys/", "rest", true, "host", "/keys"],
  ["grpc://host:1", "grpc", false, "host:1", ""],
  ["grpc://host", "grpc", false, "host:4420", ""],
  ["grpcs://[::1]/", "grpc", true, "[::1]:4420", ""],
])("%s", (text, protocol, isTls, address, basePath) => {
  expect(parseEndpoint(text)).toEqual({ endpoint: { protocol, isTls, address, basePath, text } });
});

test.each([
  ["", "must be http://"],
  ["127.0.0.1:4420", "must be http://"],
  ["localhost:4420", "must be http://"],
  ["ftp://host", "must be http://"],
  ["grpc://", "must be http://"],
  ["grpc:host", "must be http://"],
  ["http://user:hunter2@host", "must not hold a user or a password"],
  ["grpc://user@host", "must not hold a user or a password"],
  ["http://host/?token=hunter2", "must end with the address"],
  ["http://host/#hunter2", "must end with the address"],
  ["grpc://host/keys", "must end with the address"],
])("%j is refused, and not quoted", (text, problem) => {
  const { error } = parseEndpoint(text) as { readonly error: string };
  expect(error).toMatch(new RegExp(`^${problem}`));
  expect(error).not.toContain("hunter2");
});
