import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { Permission } from "../../gen/latchkey/v2alpha1/options_pb.js";
import { createOpenAuthenticator, createTokenAuthenticator, mayCall } from "../../src/server/authenticate.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest();

describe("bearer tokens", () => {
  const authenticate = createTokenAuthenticator([
    { name: "ci", role: "admin", sha256: sha256("token-of-ci") },
    { name: "mesh", role: "verifier", sha256: sha256("token-of-mesh") },
  ]);

  test.each([
    ["Bearer token-of-ci", { name: "ci", role: "admin" }],
    ["bearer token-of-mesh", { name: "mesh", role: "verifier" }],
    ["BEARER  token-of-mesh ", { name: "mesh", role: "verifier" }],
  ])("name their caller: %j", (header, caller) => expect(authenticate(header)).toEqual(caller));

  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "token-of-ci",
    "Basic token-of-ci",
    "Bearer token-of-c",
    "Bearer token-of-ci,x",
    "Bearer token-of-ci token-of-mesh",
    `Bearer ${sha256("token-of-ci").toString("hex")}`,
  ])("are nothing else: %j", (header) => expect(authenticate(header)).toBeUndefined());
});

test("without authentication everybody is an admin", () => {
  expect(createOpenAuthenticator()(undefined)).toEqual({ name: "anyone", role: "admin" });
});

describe("a role", () => {
  test.each([
    ["verifier", [Permission.VERIFY]],
    ["reader", [Permission.VERIFY, Permission.READ]],
    ["admin", [Permission.VERIFY, Permission.READ, Permission.WRITE]],
  ] as const)("%s may do what it holds, and nothing else", (role, held) => {
    const permissions = [Permission.UNSPECIFIED, Permission.VERIFY, Permission.READ, Permission.WRITE];
    expect(permissions.filter((permission) => mayCall({ name: "x", role }, permission))).toEqual(held);
  });
});
