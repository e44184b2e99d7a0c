import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { parseSigningJwks } from "../../src/secrets/signing-keys.js";
import { runLatchkey } from "./run-latchkey.js";

const PERMISSIONS = 0o777;

const directory = mkdtempSync(join(tmpdir(), "latchkey-jwk-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  ["eddsa", "EdDSA", undefined],
  ["rsa", "RS256", 3_072],
])("a set for %s that a service signs with", async (kind, alg, bits) => {
  const { code, out, err } = await runLatchkey(["jwk", "generate", kind]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const [{ key } = { key: undefined }, ...others] = parseSigningJwks("stdout", out);
  expect(others).toEqual([]);
  expect(key).toMatchObject({ alg, privateKey: { type: "private" } });
  expect(key?.publicKey.asymmetricKeyDetails?.modulusLength).toBe(bits);
});

test("into a new file that others cannot read, and over none", async () => {
  const file = join(directory, "jwks.json");
  const words = ["jwk", "generate", "rsa", "--bits", "2048", "--out", file];
  expect(await runLatchkey(words)).toEqual({ code: 0, out: "", err: "" });
  expect(statSync(file).mode & PERMISSIONS).toBe(0o600);
  const [parsed] = parseSigningJwks(file, readFileSync(file, "utf8"));
  expect(parsed?.key.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2_048);

  writeFileSync(file, "in use");
  const err = `latchkey: ${file} is there already; nothing is overwritten\n`;
  expect(await runLatchkey(words)).toEqual({ code: 1, out: "", err });
  expect(readFileSync(file, "utf8")).toBe("in use");
});
