import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { DataDirectoryError } from "../../src/secrets/data-directory-error.js";
import {
  openSigningKeySource,
  type SigningKeySource,
  type SigningKeySourceOptions,
} from "../../src/secrets/signing-key-source.js";
import { generateSigningJwks } from "../../src/secrets/signing-keys.js";
import { base64Url, ed25519Jwk, hidden, jwksText, privateValues, publicPart, type TestJwk } from "./test-jwks.js";

const PRIVATE_MODE = 0o600;
const A = ed25519Jwk("a");
const B = ed25519Jwk("b");
const C = ed25519Jwk("c");

let directory: string;
let sources: SigningKeySource[];
let errors: unknown[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-signing-"));
  sources = [];
  errors = [];
});
afterEach(() => {
  for (const source of sources) source.close();
  rmSync(directory, { recursive: true });
});

async function open(options: Partial<SigningKeySourceOptions>): Promise<SigningKeySource> {
  const source = await openSigningKeySource({
    urls: undefined,
    generatedFile: undefined,
    signingKeyId: undefined,
    onError: (error) => errors.push(error),
    ...options,
  });
  sources.push(source);
  return source;
}

function write(name: string, ...jwks: readonly TestJwk[]): { reveal(): string } {
  return writeText(name, jwksText(...jwks));
}

function writeText(name: string, content: string): { reveal(): string } {
  writeFileSync(join(directory, name), content, { mode: PRIVATE_MODE });
  return urlOf(name);
}

function urlOf(name: string): { reveal(): string } {
  return hidden(pathToFileURL(join(directory, name)).href);
}

/** What errors call the file, as item `index` of the setting. */
function placeOf(name: string, index = 0): string {
  return `tokens.signing_jwks_urls[${index}] (${urlOf(name).reveal()})`;
}

function kids(source: SigningKeySource): string[] {
  return source.current().keys.map(({ kid }) => kid);
}

function messages(): string[] {
  return errors.map((error) => (error as Error).message);
}

describe("at the start", () => {
  test("sets of files and in the URL itself are one set", async () => {
    const source = await open({ urls: [write("one file", A), base64Url(jwksText(B, publicPart(C)))] });
    expect(kids(source)).toEqual(["a", "b", "c"]);
    expect(source.current().signing.kid).toBe("a");
    expect(source.current().find("b")?.alg).toBe("EdDSA");
  });

  test("base64 may be of the URL's alphabet, and without padding", async () => {
    const url = `base64://${Buffer.from(`${jwksText(A)}  `).toString("base64url")}`;
    expect(kids(await open({ urls: [hidden(url)] }))).toEqual(["a"]);
  });

  test("signing_key_id chooses", async () => {
    const source = await open({ urls: [write("a", A), write("b", B)], signingKeyId: "b" });
    expect(source.current().signing.kid).toBe("b");
  });

  test.each([
    ["a file that is not there", () => urlOf("none"), "none", "cannot be read (ENOENT)"],
    ["a directory", () => urlOf("directory"), "directory", "is no file"],
    ["an empty file", () => writeText("x", ""), "x", "is empty"],
    ["a file of something else", () => writeText("x", "hunter2"), "x", "is not valid JSON"],
    ["a file that is too large", () => writeText("x", " ".repeat(1_048_577)), "x", "is larger than 1048576 bytes"],
    ["a wrong key", () => write("x", { ...A, use: "hunter2" }), "x", "keys[0] has a use that is neither sig nor enc"],
  ])("%s is named", async (_name, make, file, problem) => {
    mkdirSync(join(directory, "directory"));
    const message = `${placeOf(file, 1)}: ${problem}`;
    await expect(open({ urls: [base64Url(jwksText(B)), make()] })).rejects.toThrow(
      expect.objectContaining({ name: "SigningKeysError", message }),
    );
  });

  test("a file's query is not named", async () => {
    const url = hidden(`${urlOf("none").reveal()}?hunter2#hunter2`);
    await expect(open({ urls: [url] })).rejects.toThrow(
      expect.objectContaining({ message: `${placeOf("none")}: cannot be read (ENOENT)` }),
    );
  });

  test("nothing of a URL that is the set itself is named", async () => {
    const message = "tokens.signing_jwks_urls[0] (base64://): is not valid JSON";
    await expect(open({ urls: [base64Url("hunter2")] })).rejects.toThrow(expect.objectContaining({ message }));
  });

  test("a signing key that is not there is refused", async () => {
    await expect(open({ urls: [write("a", A)], signingKeyId: "hunter2" })).rejects.toThrow(
      expect.objectContaining({ message: "tokens.signing_key_id: names no key of the JWK Sets" }),
    );
  });

  test("there is a generated file when there are no URLs", async () => {
    await expect(open({})).rejects.toThrow(new TypeError("there are neither URLs nor a generated file"));
  });
});

describe("the generated set", () => {
  const file = () => join(directory, "signing-jwks.json");

  test("is used when there are no URLs", async () => {
    writeText("signing-jwks.json", generateSigningJwks());
    const source = await open({ generatedFile: file() });
    expect(source.current().keys).toEqual([source.current().signing]);
  });

  test("is not used when there are", async () => {
    const source = await open({ urls: [write("a", A)], generatedFile: file() });
    expect(kids(source)).toEqual(["a"]);
  });

  test.each([
    ["", "is empty; restore it from a backup"],
    ['{"keys":[{"kty":"OKP","d":"hunter2', "is not valid JSON; restore it from a backup"],
    ['{"keys":[{"kty":"OKP"}]}', "keys[0] has no kid; restore it from a backup"],
  ])("with the content %j is refused by name", async (content, problem) => {
    writeText("signing-jwks.json", content);
    await expect(open({ generatedFile: file() })).rejects.toThrow(new DataDirectoryError(file(), problem));
  });

  test("is refused when others can use it", async () => {
    write("signing-jwks.json", A);
    chmodSync(file(), 0o644);
    await expect(open({ generatedFile: file() })).rejects.toThrow(
      `${file()}: other users of this machine can use it (mode 644): run chmod 600 ${file()}`,
    );
  });

  test("is not made anew when it is gone", async () => {
    await expect(open({ generatedFile: file() })).rejects.toThrow(
      new DataDirectoryError(file(), "is gone; restore it from a backup"),
    );
    write("signing-jwks.json", A);
    const source = await open({ generatedFile: file() });
    rmSync(file());
    await source.refresh();
    expect(messages()).toEqual([`${file()}: is gone; restore it from a backup`]);
    expect(kids(source)).toEqual(["a"]);
  });

  test("is read again", async () => {
    write("signing-jwks.json", A);
    const source = await open({ generatedFile: file() });
    write("signing-jwks.json", B, publicPart(A));
    await source.refresh();
    expect(kids(source)).toEqual(["b", "a"]);
    expect(source.current().signing.kid).toBe("b");
  });
});

describe("a refresh", () => {
  test("changes the set object when its content changed, and then only", async () => {
    let changes = 0;
    const onChange = () => {
      changes += 1;
    };
    const source = await open({ urls: [write("a", A)], onChange });
    const first = source.current();
    await source.refresh();
    writeText("a", `${jwksText(A)}\n`);
    await source.refresh();
    expect(source.current()).toBe(first);
    expect(changes).toBe(0);

    write("a", B, publicPart(A));
    await source.refresh();
    expect(source.current()).not.toBe(first);
    expect(source.current().signing.kid).toBe("b");
    expect(source.current().find("a")).not.toHaveProperty("privateKey");
    expect(first.signing.kid).toBe("a");
    expect(changes).toBe(1);
    expect(errors).toEqual([]);
  });

  test("keeps the last good set when a file is gone or wrong, and says so", async () => {
    const source = await open({ urls: [write("a", A)] });
    const first = source.current();
    rmSync(join(directory, "a"));
    await source.refresh();
    writeText("a", '{"keys":[{"d":"hunter2"');
    await source.refresh();
    write("a", { ...A, alg: "hunter2" });
    await source.refresh();
    write("a", publicPart(A));
    await source.refresh();
    expect(source.current()).toBe(first);
    expect(messages()).toEqual([
      `${placeOf("a")}: cannot be read (ENOENT)`,
      `${placeOf("a")}: is not valid JSON`,
      `${placeOf("a")}: keys[0] must be an Ed25519 key with alg EdDSA, or an RSA key with alg RS256`,
      `${placeOf("a")}: no key has a private part to sign with`,
    ]);

    write("a", B);
    await source.refresh();
    expect(kids(source)).toEqual(["b"]);
    expect(errors).toHaveLength(4);
  });

  test("takes what is new in one set while another fails", async () => {
    const source = await open({ urls: [write("a", A), write("b", B, C)] });
    rmSync(join(directory, "a"));
    write("b", B);
    await source.refresh();
    expect(kids(source)).toEqual(["a", "b"]);
    expect(messages()).toEqual([`${placeOf("a")}: cannot be read (ENOENT)`]);

    rmSync(join(directory, "b"));
    write("a", C);
    await source.refresh();
    expect(kids(source)).toEqual(["c", "b"]);
  });

  test("changes nothing when the sets do not go together", async () => {
    const source = await open({ urls: [write("a", A), write("b", B)], signingKeyId: "b" });
    const first = source.current();
    write("b", B, publicPart(A));
    await source.refresh();
    write("b", C);
    await source.refresh();
    expect(source.current()).toBe(first);
    expect(messages()).toEqual([
      `${placeOf("b", 1)}: has a key whose kid another key has too`,
      "tokens.signing_key_id: names no key of the JWK Sets",
    ]);
  });

  test("is joined when it is under way", async () => {
    const source = await open({ urls: [write("a", A)] });
    const refresh = source.refresh();
    expect(source.refresh()).toBe(refresh);
    await refresh;
    const later = source.refresh();
    expect(later).not.toBe(refresh);
    await later;
  });

  test("comes by itself", async () => {
    await new Promise<void>((resolve, reject) => {
      const changed = open({ urls: [write("a", A)], refreshIntervalMs: 1, onChange: resolve });
      changed.then(() => write("a", B), reject);
    });
    expect(sources.map(kids)).toEqual([["b"]]);
  });

  test("that is under way when the source is closed changes nothing and tells nothing", async () => {
    const source = await open({ urls: [write("a", A), write("b", B)] });
    write("a", C);
    writeText("b", "");
    const refresh = source.refresh();
    source.close();
    await refresh;
    expect(kids(source)).toEqual(["a", "b"]);
    expect(errors).toEqual([]);
  });

  test("tells no secret", async () => {
    const source = await open({ urls: [write("a", A), base64Url(jwksText(B))] });
    writeText("a", jwksText({ ...A, x: B.x }));
    await source.refresh();
    expect(messages()).toEqual([`${placeOf("a")}: keys[0] is damaged`]);
    const printed = inspect([source, source.current(), errors], { depth: 10, showHidden: true });
    for (const value of [...privateValues(A), ...privateValues(B)]) expect(printed).not.toContain(value);
  });
});

describe("sets that are read anew", () => {
  test("are taken when that is said, all of them", async () => {
    let changes = 0;
    const source = await open({ urls: [write("a", A), write("b", B)], onChange: () => changes++ });
    const first = source.current();
    write("a", C);
    write("b", B, A);
    const take = await source.readAnew();
    expect(source.current()).toBe(first);
    take();
    expect(kids(source)).toEqual(["c", "b", "a"]);
    expect(changes).toBe(1);
    await source.refresh();
    expect(kids(source)).toEqual(["c", "b", "a"]);
    expect(errors).toEqual([]);
  });

  test.each([
    ["one of them cannot be read", () => writeText("b", ""), () => `${placeOf("b", 1)}: is empty`],
    [
      "they do not go together",
      () => write("b", C),
      () => `${placeOf("b", 1)}: has a key whose kid another key has too`,
    ],
  ])("are refused when %s", async (_name, spoil, message) => {
    const source = await open({ urls: [write("a", A), write("b", B)] });
    const first = source.current();
    write("a", C);
    spoil();
    await expect(source.readAnew()).rejects.toThrow(
      expect.objectContaining({ name: "SigningKeysError", message: message() }),
    );
    expect(source.current()).toBe(first);
  });
});

describe("a key whose nbf is to come", () => {
  const NOW = 1_800_000_000;
  const waiting = { ...B, nbf: NOW };

  test("is published at once, and signs from then on", async () => {
    let nowMs = NOW * 1_000 - 1;
    let changes = 0;
    const source = await open({ urls: [write("x", A, waiting)], clock: () => nowMs, onChange: () => changes++ });
    const before = source.current();
    expect([before.signing.kid, kids(source)]).toEqual(["a", ["a", "b"]]);
    expect(source.current()).toBe(before);
    nowMs += 1;
    const after = source.current();
    expect([after.signing.kid, kids(source)]).toEqual(["b", ["a", "b"]]);
    expect(source.current()).toBe(after);
    expect(changes).toBe(1);
  });

  test("changes nothing when another one is named", async () => {
    let nowMs = 0;
    const source = await open({ urls: [write("x", A, waiting)], clock: () => nowMs, signingKeyId: "a" });
    const before = source.current();
    nowMs = NOW * 1_000;
    expect(source.current()).toBe(before);
  });
});
