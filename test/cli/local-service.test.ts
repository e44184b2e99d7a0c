import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ChildService } from "../e2e/child-service.js";
import { eventually } from "../e2e/eventually.js";
import { randomToken } from "../e2e/server.js";
import { latchkeyWords, runLatchkey, runWords } from "./run-latchkey.js";

const OTHER_UID = 65_534;
const TIMEOUT_MS = 60_000;
const LIST = ["keys", "list", "--format", "json"];
const EMPTY_PAGE = { issued_api_keys: [], next_page_token: "" };

/** Answers every call with a page without keys, and says on stdout at which port, and what it was called with. */
const IMPOSTOR = `
  const server = require("node:http").createServer(({ url, headers: { authorization = "" } }, response) => {
    console.log(JSON.stringify({ url, authorization }));
    response.end(url === "/health/ready" ? '{"status":"SERVING"}' : '${JSON.stringify(EMPTY_PAGE)}');
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

let directory: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-local-"));
});
afterEach(async () => {
  if (child !== undefined) {
    child.kill("SIGKILL");
    await once(child, "close");
    child = undefined;
  }
  rmSync(directory, { recursive: true, force: true });
});

/** Starts it as this user. `lines` are what it says, the first its port. */
async function startImpostor(uid: number): Promise<{ readonly port: string; readonly lines: () => string[] }> {
  const started = spawn(process.execPath, ["-e", IMPOSTOR], { uid, cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
  child = started;
  let out = "";
  started.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const lines = () => out.split("\n").slice(0, -1);
  return { port: await eventually("the port", () => lines()[0]), lines };
}

/** A token as a service would have made it. */
function writeGeneratedToken(): string {
  const token = randomToken();
  mkdirSync(join(directory, "data", "secrets"), { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, "data", "secrets", "admin-token"), `${token}\n`, { mode: 0o600 });
  return token;
}

const isRoot = process.getuid?.() === 0;

(isRoot ? describe : describe.skip)(
  `another user listens where the service should${isRoot ? "" : ", skipped: run it as root"}`,
  () => {
    const refusal = (port: string) => ({
      code: 1,
      out: "",
      err:
        `latchkey: port ${port} is not used: the user with uid ${OTHER_UID} listens there, ` +
        "who is neither you nor root nor the owner of ./data\n  if that is your service, name it with --endpoint\n",
    });

    test(
      "he is sent nothing, neither the token nor a credential",
      async () => {
        writeGeneratedToken();
        const { port, lines } = await startImpostor(OTHER_UID);
        const env = { LATCHKEY_SERVER_PORT: port, LATCHKEY_TOKEN: randomToken() };
        for (const words of [LIST, ["keys", "verify"], ["keys", "import", "old", "--actor", "me"], ["health"]]) {
          expect(await runLatchkey(words, { env, cwd: directory, input: "a-credential" })).toEqual(refusal(port));
        }
        expect(lines()).toEqual([port]);
        expect(readdirSync(join(directory, "data"))).toEqual(["secrets"]);
      },
      TIMEOUT_MS,
    );

    test("also where the configuration names every address", async () => {
      const { port, lines } = await startImpostor(OTHER_UID);
      const secrets = { LATCHKEY_SECRETS_HMAC_CURRENT: randomToken(), LATCHKEY_SECRETS_PEPPER: randomToken() };
      const token = JSON.stringify([{ name: "ops", token: randomToken(), role: "admin" }]);
      const env = { LATCHKEY_SERVER_HOST: "0.0.0.0", LATCHKEY_SERVER_PORT: port, LATCHKEY_ADMIN_TOKENS: token };
      expect(await runLatchkey(LIST, { env: { ...env, ...secrets }, cwd: directory })).toEqual(refusal(port));
      expect(lines()).toEqual([port]);
    });

    test("whoever names him uses him, with the token that was meant for him", async () => {
      writeGeneratedToken();
      const { port, lines } = await startImpostor(OTHER_UID);
      const token = randomToken();
      const env = { LATCHKEY_ENDPOINT: `http://127.0.0.1:${port}`, LATCHKEY_TOKEN: token };
      expect(await runLatchkey(LIST, { env, cwd: directory })).toMatchObject({ code: 0, err: "" });
      expect(
        lines()
          .slice(1)
          .map((line) => JSON.parse(line)),
      ).toEqual([{ url: "/v2alpha1/admin/issuedApiKeys", authorization: `Bearer ${token}` }]);
    });

    test("the owner of the data directory is the service", async () => {
      const token = writeGeneratedToken();
      chownSync(join(directory, "data"), OTHER_UID, OTHER_UID);
      const { port, lines } = await startImpostor(OTHER_UID);
      const env = { LATCHKEY_SERVER_PORT: port };
      expect(JSON.parse((await runLatchkey(LIST, { env, cwd: directory })).out)).toEqual(EMPTY_PAGE);
      expect(JSON.parse(lines()[1] ?? "")).toMatchObject({ authorization: `Bearer ${token}` });
    });
  },
);

/** Runs words in a process that /proc/net says nothing to. */
const WITHOUT_TABLES = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc/$$/net && exec "$@"', "sh"];
const [program = "", ...more] = [...WITHOUT_TABLES, "true"];
const canHideTables = spawnSync(program, more).status === 0;

(canHideTables ? test : test.skip)(
  `where it cannot be known who listens, the store itself is used${canHideTables ? "" : ", skipped: it needs unshare (util-linux), and root"}`,
  async () => {
    const service = new ChildService({ cwd: directory });
    try {
      const { port } = new URL(await service.ready());
      const env = { LATCHKEY_SERVER_PORT: port };
      const hidden = await runWords([...WITHOUT_TABLES, ...latchkeyWords([...LIST, "--imported"])], {
        env,
        cwd: directory,
      });
      expect(hidden).toMatchObject({ code: 0, err: "" });
      expect(JSON.parse(hidden.out)).toEqual({ imported_api_keys: [], next_page_token: "" });
      // Where it can be known, it is a call.
      expect(await runLatchkey(LIST, { env, cwd: directory })).toMatchObject({ code: 0, err: "" });
      await eventually("the call", () => service.stdout.includes("AdminListIssuedApiKeys") || undefined);
      expect(service.stdout).not.toContain("AdminListImportedApiKeys");
    } finally {
      await service.stop();
    }
  },
  TIMEOUT_MS,
);
