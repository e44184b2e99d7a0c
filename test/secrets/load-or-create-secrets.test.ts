import { createHash, createPrivateKey, createPublicKey, createSecretKey, sign, verify } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { openDataDirectory } from "../../src/secrets/data-directory.js";
import { loadOrCreateSecrets, type SecretsOptions } from "../../src/secrets/load-or-create-secrets.js";

const NOTHING = { hmac: { current: undefined, retired: [] }, pepper: undefined };
const MODE = 0o777;

let root: string;
let dataDir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "latchkey-secrets-"));
  dataDir = join(root, "a", "data");
});
afterEach(() => rmSync(root, { recursive: true }));

function load(options: Partial<SecretsOptions> = {}) {
  return loadOrCreateSecrets({ dataDir, configured: NOTHING, needsAdminToken: true, ...options });
}

function secretFile(name: string): string {
  return join(dataDir, "secrets", name);
}

describe("the first start", () => {
  test("makes private files in private directories", async () => {
    await load();
    expect(readdirSync(join(dataDir, "secrets")).sort()).toEqual([
      "admin-token",
      "hmac",
      "pepper",
      "signing-jwks.json",
    ]);
    expect(statSync(dataDir).mode & MODE).toBe(0o700);
    expect(statSync(join(dataDir, "secrets")).mode & MODE).toBe(0o700);
    for (const name of readdirSync(join(dataDir, "secrets")))
      expect(statSync(secretFile(name)).mode & MODE).toBe(0o600);
    expect(readFileSync(secretFile("hmac"), "utf8")).toMatch(/^[\w-]{43}\n$/);
    expect(readFileSync(secretFile("pepper"), "utf8")).not.toBe(readFileSync(secretFile("hmac"), "utf8"));
    expect(readFileSync(secretFile("admin-token"), "utf8")).toMatch(/^lka_[0-9a-f]{64}\n$/);
  });

  test("makes a signing key whose JWK says what it is", async () => {
    await load();
    const { keys } = JSON.parse(readFileSync(secretFile("signing-jwks.json"), "utf8"));
    expect(keys).toHaveLength(1);
    const thumbprint = createHash("sha256")
      .update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x: keys[0].x }))
      .digest("base64url");
    expect(keys[0]).toMatchObject({ kty: "OKP", crv: "Ed25519", kid: thumbprint, use: "sig", alg: "EdDSA" });
    const message = Buffer.from("message");
    const privateKey = createPrivateKey({ format: "jwk", key: keys[0] });
    const publicKey = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: keys[0].x } });
    expect(verify(null, message, publicKey, sign(null, message, privateKey))).toBe(true);
  });

  test("says which files are in use", async () => {
    const { directory, files } = await load();
    expect(directory).toBe(join(dataDir, "secrets"));
    expect(files).toEqual({
      hmac: secretFile("hmac"),
      pepper: secretFile("pepper"),
      adminToken: secretFile("admin-token"),
      signingJwks: secretFile("signing-jwks.json"),
    });
  });
});

describe("a later start", () => {
  test("finds the same secrets", async () => {
    const first = await load();
    const jwks = readFileSync(secretFile("signing-jwks.json"), "utf8");
    const second = await load();
    expect(second.pepper.equals(first.pepper)).toBe(true);
    expect(second.adminToken).toEqual(first.adminToken);
    expect(second.keyRing.derive("latchkey/page-token/v1")).toEqual(first.keyRing.derive("latchkey/page-token/v1"));
    expect(readFileSync(secretFile("signing-jwks.json"), "utf8")).toBe(jwks);
  });

  test("does not mind what a crash left under other names", async () => {
    await load();
    writeFileSync(secretFile("pepper.0011223344556677.tmp"), "abc");
    await expect(load()).resolves.toBeDefined();
  });

  test("works on the text of a file, so that it can move into the configuration", async () => {
    const { pepper, adminToken } = await load();
    const content = readFileSync(secretFile("pepper"), "utf8").trimEnd();
    expect(pepper.equals(createSecretKey(Buffer.from(content)))).toBe(true);
    const token = readFileSync(secretFile("admin-token"), "utf8").trimEnd();
    expect(adminToken?.sha256).toEqual(createHash("sha256").update(token).digest());
  });
});

test("what is configured gets no file", async () => {
  const current = createSecretKey(Buffer.from("0123456789abcdef0123456789abcdef"));
  const pepper = createSecretKey(Buffer.from("fedcba9876543210fedcba9876543210"));
  const configured = { hmac: { current, retired: [pepper] }, pepper };
  const secrets = await load({ configured, needsAdminToken: false, needsSigningJwks: false });
  expect(readdirSync(join(dataDir, "secrets"))).toEqual([]);
  expect(secrets.pepper).toBe(pepper);
  expect(secrets.adminToken).toBeUndefined();
  expect(secrets.files).toEqual({ hmac: undefined, pepper: undefined, adminToken: undefined, signingJwks: undefined });
  expect(secrets.keyRing.derive("latchkey/macaroon/v1").all).toHaveLength(2);
});

test("nothing shows a secret when it is printed", async () => {
  const secrets = await load();
  secrets.keyRing.derive("latchkey/macaroon/v1");
  const { keys } = JSON.parse(readFileSync(secretFile("signing-jwks.json"), "utf8"));
  const printed = `${inspect(secrets, { depth: 10 })}${JSON.stringify(secrets)}${String(secrets.keyRing)}`;
  const values = ["hmac", "pepper", "admin-token"].map((name) => readFileSync(secretFile(name), "utf8").trimEnd());
  for (const value of [...values, keys[0].d]) expect(printed).not.toContain(value);
  expect(inspect(secrets.keyRing)).toBe("KeyRing {}");
});

describe("a damaged file is refused by name", () => {
  test.each([
    ["pepper", "", "is empty: restore it from a backup"],
    ["pepper", "\n", "is empty: restore it from a backup"],
    ["hmac", "tooshort\n", "is too short: must have at least 32 characters; restore it from a backup"],
    ["hmac", "\0".repeat(44), "is damaged: must be one line of visible ASCII characters; restore it from a backup"],
    [
      "admin-token",
      `${"a".repeat(40)}\n${"b".repeat(40)}\n`,
      "is damaged: must be one line of visible ASCII characters; restore it from a backup",
    ],
  ])("%s %j", async (name, content, problem) => {
    await load();
    writeFileSync(secretFile(name), content);
    await expect(load()).rejects.toThrow(`${secretFile(name)}: ${problem}`);
    expect(readFileSync(secretFile(name), "utf8")).toBe(content);
  });
});

describe("what others can use is refused", () => {
  test("a file", async () => {
    await load();
    chmodSync(secretFile("hmac"), 0o640);
    const file = secretFile("hmac");
    await expect(load()).rejects.toThrow(
      `${file}: other users of this machine can use it (mode 640): run chmod 600 ${file}`,
    );
  });

  test("the directory of the secrets", async () => {
    const directory = join(dataDir, "secrets");
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o777);
    await expect(load()).rejects.toThrow(
      `${directory}: other users of this machine can write to it: run chmod 700 ${directory}`,
    );
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("a path that cannot be used is named", () => {
  test("a file in the way", async () => {
    writeFileSync(join(root, "a"), "");
    const path = join(dataDir, "secrets");
    await expect(load()).rejects.toThrow(
      `${path}: making the directory failed: part of the path is not a directory (ENOTDIR)`,
    );
  });

  test("a directory where a secret should be", async () => {
    mkdirSync(secretFile("hmac"), { recursive: true, mode: 0o700 });
    await expect(load()).rejects.toThrow(
      `${secretFile("hmac")}: reading the secret failed: it is a directory (EISDIR)`,
    );
  });

  test("a data directory that is a file", async () => {
    writeFileSync(join(root, "data"), "");
    await expect(openDataDirectory(join(root, "data"))).rejects.toThrow(
      `${join(root, "data")}: making the directory failed: a file is in the way (EEXIST)`,
    );
  });
});

test("openDataDirectory makes the directory and answers its path", async () => {
  expect(await openDataDirectory(dataDir)).toBe(dataDir);
  expect(statSync(dataDir).mode & MODE).toBe(0o700);
  expect(existsSync(join(dataDir, "secrets"))).toBe(false);
});
