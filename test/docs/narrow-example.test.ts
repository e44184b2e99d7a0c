import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { decodeBase64Url } from "../../src/credentials/base64url.js";
import { createMacaroon, verifySignature } from "../../src/credentials/macaroon.js";
import { decodeMacaroon } from "../../src/credentials/macaroon-codec.js";
import { formatMacaroonToken } from "../../src/credentials/macaroon-token.js";
import { readRepositoryFile } from "../structure/repository.js";

const PREFIX = "mc";
const rootKey = Buffer.alloc(32, 7);
const macaroon = createMacaroon(rootKey, Buffer.from('{"iss":"latchkey"}'));
const folder = mkdtempSync(join(tmpdir(), "latchkey-narrow-"));
const program = join(folder, "narrow.mjs");

beforeAll(() => {
  const [, source] =
    /cat > narrow\.mjs <<'EOF'\n([\s\S]*?)^EOF$/m.exec(readRepositoryFile("docs/concepts/derived-tokens.md")) ?? [];
  if (source === undefined) throw new Error("docs/concepts/derived-tokens.md has no narrow.mjs");
  writeFileSync(program, source);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A caveat whose text has that many bytes. */
function caveatOf(bytes: number): string {
  return `scp subset ["${"s".repeat(bytes - 'scp subset [""]'.length)}"]`;
}

// 128 bytes are the first whose length takes two bytes.
test.each([
  { about: "one caveat", caveats: ["exp <= 1767225600"] },
  { about: "several caveats", caveats: ['scp subset ["é"]', "exp <= 1767225600", 'acl subset ["10.0.0.0/8"]'] },
  { about: "a caveat of 127 bytes", caveats: [caveatOf(127)] },
  { about: "a caveat of 128 bytes", caveats: [caveatOf(128)] },
  { about: "a caveat of 12,000 bytes", caveats: [caveatOf(12_000)] },
])("narrow.mjs of docs/concepts/derived-tokens.md adds $about, and the signature holds", ({ caveats }) => {
  const narrowed = execFileSync(process.execPath, [program, formatMacaroonToken(macaroon, PREFIX), ...caveats], {
    encoding: "utf8",
  });
  const bytes = decodeBase64Url(narrowed.trimEnd().slice(`${PREFIX}_v1_`.length));
  const decoded = decodeMacaroon(bytes ?? new Uint8Array());
  expect(decoded?.caveats.map((caveat) => Buffer.from(caveat).toString("utf8"))).toEqual(caveats);
  expect(decoded && verifySignature(decoded, rootKey)).toBe(true);
});
