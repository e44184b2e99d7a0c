/** What a service has noted of the use of keys is there after it was stopped. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { MONGO_SKIPPED, mongoTestUri } from "../mongo-server.js";
import { ChildService } from "./child-service.js";
import { bearer } from "./clients/api-client.js";

const mongo = await mongoTestUri();
const STORES = [
  { name: "embedded", env: {} },
  { name: "MongoDB", env: mongo && { LATCHKEY_STORE_MONGODB_URI: mongo.uri } },
];

let directory: string;
let child: ChildService | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-last-used-"));
});
afterEach(async () => {
  await child?.stop();
  rmSync(directory, { recursive: true });
});
afterAll(() => mongo?.dispose());

async function serve(env: Record<string, string>) {
  const service = new ChildService({ env: { ...env, LATCHKEY_DATA_DIR: directory } });
  child = service;
  const url = await service.ready();
  const token = readFileSync(join(directory, "secrets", "admin-token"), "utf8").trim();
  const headers = { ...bearer(token), "content-type": "application/json" };
  return {
    async call(path: string, body?: unknown) {
      const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
      return (await fetch(`${url}/v2alpha1/admin/${path}`, init)).json() as Promise<Record<string, never>>;
    },
    async stop() {
      service.kill("SIGTERM");
      expect(await service.ended).toEqual({ code: 0, signal: null });
    },
  };
}

for (const { name, env } of STORES) {
  (env === undefined ? describe.skip : describe)(
    `last_used_time, ${name} store${env === undefined ? `, ${MONGO_SKIPPED}` : ""}`,
    () => {
      test("is written when the service stops, and changes nothing else", async () => {
        const first = await serve(env ?? {});
        const { issued_api_key: used, secret } = await first.call("issuedApiKeys", { name: "used", actor_id: "a" });
        const { issued_api_key: unused } = await first.call("issuedApiKeys", { name: "unused", actor_id: "a" });
        const before = Date.now();
        expect(await first.call("apiKeys:verify", { credential: secret })).toMatchObject({ is_valid: true });
        await first.stop();

        const { call, stop } = await serve(env ?? {});
        const idOf = (key: unknown) => (key as { key_id: string }).key_id;
        const { last_used_time: lastUsed, ...rest } = await call(`issuedApiKeys/${idOf(used)}`);
        const { last_used_time: absent, ...same } = used as unknown as Record<string, unknown>;
        expect(absent ?? null).toBeNull();
        expect(rest).toEqual(same);
        expect(Date.parse(lastUsed ?? "")).toBeGreaterThanOrEqual(before);
        expect(Date.parse(lastUsed ?? "")).toBeLessThanOrEqual(Date.now());
        expect(await call(`issuedApiKeys/${idOf(unused)}`)).toEqual(unused);
        await stop();
      });
    },
  );
}
