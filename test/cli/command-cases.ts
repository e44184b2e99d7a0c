import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { type Run, runLatchkey } from "./run-latchkey.js";

export interface CommandCasesOptions {
  /** What calls are made with, such as LATCHKEY_ENDPOINT and LATCHKEY_TOKEN. */
  readonly env: () => Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd?: () => string;
  /** What differs between runs on one store. */
  readonly tag: string;
}

type Json = Readonly<Record<string, unknown>>;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIMEOUT_MS = 120_000;

/** Every command, each in a process of its own. */
export function testCommands(options: CommandCasesOptions): void {
  testKeyLife(options);
  testImportedKeyLife(options);
  testLists(options);
  testRefusals(options);
  testJwks(options);
}

/** Those that say most of a way to make calls, for it takes seconds to start a process from the sources. */
export function testSomeCommands(options: CommandCasesOptions): void {
  testKeyLife(options);
  testRefusals(options);
}

function testKeyLife(options: CommandCasesOptions): void {
  const { run, answer, tag } = caller(options);

  test(
    "a key's life",
    async () => {
      const words = ["--scope", "read", "--scope", "write", "--ttl", "1d", "--metadata", '{"team":{"name":"a"}}'];
      const policy = ["--quota", "5", "--window", "1m", "--unit", "content-bytes", "--allow-cidr", "127.0.0.0/8"];
      const names = ["demo", "--actor", `actor-${tag}`, "--visibility", "secret"];
      const issued = await answer(["keys", "issue", ...names, ...words, ...policy]);
      const key = keyOf(issued);
      expect(key).toMatchObject({
        key_id: expect.stringMatching(UUID),
        name: "demo",
        actor_id: `actor-${tag}`,
        scopes: ["read", "write"],
        status: "KEY_STATUS_ACTIVE",
        visibility: "KEY_VISIBILITY_SECRET",
        metadata: { team: { name: "a" } },
        rate_limit_policy: { quota: "5", window: "60s", unit: "content-bytes" },
        ip_restriction: { allowed_cidrs: ["127.0.0.0/8"] },
      });
      expect(issued.secret).toMatch(/^lk_v1_/);

      const verified = await answer(["keys", "verify"], `${issued.secret}\n`);
      expect(verified).toMatchObject({ is_valid: true, key_id: key.key_id, scopes: ["read", "write"] });
      const derived = await answer(
        ["keys", "derive", "--algorithm", "macaroon", "--scope", "read", "--ttl", "5m", "--claims", '{"a":1}'],
        String(issued.secret),
      );
      expect(derived).toMatchObject({ token: { token: expect.stringMatching(/^mc_v1_/), scopes: ["read"] } });

      const changes = ["--name", "new", "--scope", "read", "--clear", "metadata", "--clear", "rate_limit_policy"];
      const updated = await answer(["keys", "update", key.key_id, ...changes]);
      const {
        metadata: _metadata,
        rate_limit_policy: _policy,
        update_time: _time,
        last_used_time: _used,
        ...same
      } = key;
      expect(updated).toMatchObject({ ...same, name: "new", scopes: ["read"] });
      expect(Object.keys(updated)).not.toEqual(expect.arrayContaining(["metadata"]));
      expect(Object.keys(updated)).not.toEqual(expect.arrayContaining(["rate_limit_policy"]));

      const rotated = await answer(["keys", "rotate", key.key_id, "--grace-period", "1h", "--clear", "scopes"]);
      expect(rotated).toMatchObject({
        issued_api_key: { name: "new", scopes: [], ip_restriction: { allowed_cidrs: ["127.0.0.0/8"] } },
        old_issued_api_key: { key_id: key.key_id, status: "KEY_STATUS_ACTIVE" },
        secret: expect.stringMatching(/^lk_v1_/),
      });

      const { key_id: newId } = keyOf(rotated);
      const reason = ["--reason", "privilege-withdrawn", "--description", "left the team"];
      expect(await answer(["keys", "revoke", newId, ...reason])).toEqual({});
      expect(await answer(["keys", "get", newId])).toMatchObject({
        status: "KEY_STATUS_REVOKED",
        revocation_reason: "REVOCATION_REASON_PRIVILEGE_WITHDRAWN",
        revocation_description: "left the team",
      });

      const refused = await run(["keys", "verify", "-"], String(rotated.secret));
      expect(refused).toEqual({
        code: 1,
        out: `is_valid       false\nerror_code     REVOKED\nerror_message  the key is revoked\nkey_id         ${newId}\nstatus         REVOKED\n`,
        err: "",
      });
    },
    TIMEOUT_MS,
  );
}

function testImportedKeyLife(options: CommandCasesOptions): void {
  const { run, answer, tag } = caller(options);

  test(
    "an imported key's life",
    async () => {
      const rawKey = `legacy key ${tag} ä`;
      const words = ["keys", "import", "old", "-", "--actor", `actor-${tag}`, "--request-id", `import-${tag}`];
      const key = (await answer(words, `${rawKey}\r\n`)) as { readonly key_id: string };
      expect(key).toMatchObject({ key_id: expect.stringMatching(/^[0-9a-f]{64}$/), name: "old" });
      expect(await answer(["keys", "update", key.key_id, "--name", "older"])).toMatchObject({ name: "older" });
      expect(await answer(["keys", "get", key.key_id])).toMatchObject({ key_id: key.key_id, name: "older" });
      const filter = ["--filter", `actor_id = "actor-${tag}"`];
      expect(await answer(["keys", "list", "--imported", ...filter])).toEqual({
        imported_api_keys: [expect.objectContaining({ key_id: key.key_id })],
        next_page_token: "",
      });
      expect(await answer(["keys", "verify"], rawKey)).toMatchObject({ is_valid: true, key_id: key.key_id });
      expect(await run(["keys", "self-revoke", "--reason", "key-compromise"], rawKey)).toEqual({
        code: 0,
        out: "revoked\n",
        err: "",
      });
      expect(await answer(["keys", "get", key.key_id])).toMatchObject({
        status: "KEY_STATUS_REVOKED",
        revocation_reason: "REVOCATION_REASON_KEY_COMPROMISE",
      });
      const deleted = { code: 0, out: `deleted ${key.key_id}\n`, err: "" };
      expect(await run(["keys", "delete", key.key_id])).toEqual(deleted);
      const unknown = { code: 1, out: "", err: "latchkey: API key not found\n" };
      expect(await run(["keys", "get", key.key_id])).toEqual(unknown);
      expect(await run(["keys", "delete", key.key_id])).toEqual(unknown);
    },
    TIMEOUT_MS,
  );
}

function testLists(options: CommandCasesOptions): void {
  const { run, answer, tag } = caller(options);

  test(
    "lists, page by page and all at once",
    async () => {
      const actor = `lister-${tag}`;
      const ids: string[] = [];
      for (const name of ["first", "second", "third"]) {
        ids.unshift(keyOf(await answer(["keys", "issue", name, "--actor", actor])).key_id);
      }
      const words = ["keys", "list", "--filter", `actor_id = "${actor}"`, "--page-size", "2"];
      const page = await run(words);
      expect(page.code).toBe(0);
      const lines = page.out.split("\n");
      expect(lines.map((line) => line.split(/ +/)[0])).toEqual(["key_id", ...ids.slice(0, 2), ""]);
      expect(lines[1]).toMatch(new RegExp(`^${ids[0]}  third   ${actor}  ACTIVE  20\\d\\d-[^ ]+Z$`));
      const [, token = ""] = /^there are more: --all, or --page-token ([A-Za-z0-9_.~-]+)\n$/.exec(page.err) ?? [];
      const next = await run([...words, "--page-token", token]);
      expect(next.out.split("\n").map((line) => line.split(/ +/)[0])).toEqual(["key_id", ids[2], ""]);
      expect(next).toMatchObject({ code: 0, err: "" });

      const all = await run([...words, "--all", "--format", "yaml"]);
      expect(all).toMatchObject({ code: 0, err: "" });
      const { issued_api_keys: keys, next_page_token: last } = parse(all.out);
      expect(keys.map(({ key_id }: Json) => key_id)).toEqual(ids);
      expect(last).toBe("");
      expect((await run([...words, "--all"])).out.split("\n").map((line) => line.split(/ +/)[0])).toEqual([
        "key_id",
        ...ids,
        "",
      ]);
    },
    TIMEOUT_MS,
  );
}

function testRefusals(options: CommandCasesOptions): void {
  const { run } = caller(options);

  test(
    "refusals name the field, one on a line",
    async () => {
      expect(await run(["keys", "issue", "", "--actor", "me", "--scope", "a b"])).toEqual({
        code: 1,
        out: "",
        err:
          "latchkey: the request is refused:\n" +
          "  name: is required\n" +
          "  scopes[0]: must be 1 to 255 printable characters without spaces\n",
      });
      const filter = await run(["keys", "list", "--filter", "colour = 1"]);
      expect(filter).toMatchObject({ code: 1, out: "" });
      expect(filter.err).toMatch(/^latchkey: .*colour/s);
      const id = "00000000-0000-7000-8000-000000000000";
      expect(await run(["keys", "get", id])).toEqual({ code: 1, out: "", err: "latchkey: API key not found\n" });
    },
    TIMEOUT_MS,
  );
}

function testJwks(options: CommandCasesOptions): void {
  const { run, answer } = caller(options);

  test("the public keys of tokens", async () => {
    const answered = await answer(["jwks"]);
    expect(answered.jwks).toEqual({ keys: answered.keys });
    const [key] = answered.keys as [Json];
    expect(await run(["jwks"])).toEqual({
      code: 0,
      out: `${"kid".padEnd(String(key.kid).length)}  kty  alg    use\n${key.kid}  OKP  EdDSA  sig\n`,
      err: "",
    });
  });
}

/** Runs commands with the options of a suite. */
function caller({ env, cwd, tag }: CommandCasesOptions) {
  const run = (words: readonly string[], input?: string): Promise<Run> =>
    runLatchkey(words, { env: env(), input, cwd: cwd?.() });

  /** The answer of a command that succeeds without a word on stderr. */
  async function answer(words: readonly string[], input?: string): Promise<Json> {
    const { code, out, err } = await run([...words, "--format", "json"], input);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    return JSON.parse(out) as Json;
  }
  return { run, answer, tag };
}

function keyOf({ issued_api_key: key }: Json) {
  return key as Json & { readonly key_id: string };
}
