import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { startTestServer } from "../e2e/server.js";
import { createTestCertificates, hasOpenssl } from "../e2e/test-certificates.js";
import { runLatchkey } from "./run-latchkey.js";

const directory = mkdtempSync(join(tmpdir(), "latchkey-cli-tls-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const ADVICE = "if its certificate is of an authority of your own, name that one's file with NODE_EXTRA_CA_CERTS";
/** grpc-js gives TLS an IP address for a name, of which Node warns. */
const QUIET = { NODE_NO_WARNINGS: "1" };

const openssl = hasOpenssl();
const describeTls = openssl ? describe : describe.skip;

describeTls(`to a service with TLS${openssl ? "" : ", skipped: put openssl on the PATH to run it"}`, () => {
  test("calls are made when its authority is known, and else the token is not sent", async () => {
    const { serverCertFile, serverKeyFile, caFile } = createTestCertificates(directory);
    const server = await startTestServer({
      env: { LATCHKEY_SERVER_TLS_CERT_FILE: serverCertFile, LATCHKEY_SERVER_TLS_KEY_FILE: serverKeyFile },
    });
    const words = ["keys", "list", "--filter", 'name = "nobody"', "--format", "json"];
    try {
      for (const protocol of ["https", "grpcs"]) {
        const env = { LATCHKEY_ENDPOINT: `${protocol}://${server.address}`, LATCHKEY_TOKEN: server.tokens.admin };
        const known = await runLatchkey(words, { env: { ...env, ...QUIET, NODE_EXTRA_CA_CERTS: caFile } });
        expect({ ...known, out: JSON.parse(known.out) }).toEqual({
          code: 0,
          out: { issued_api_keys: [], next_page_token: "" },
          err: "",
        });
        const unknown = await runLatchkey(words, { env: { ...env, ...QUIET } });
        expect(unknown).toMatchObject({ code: 3, out: "" });
        const why = protocol === "https" ? "UNABLE_TO_VERIFY_LEAF_SIGNATURE" : "unable to verify the first certificate";
        expect(unknown.err).toBe(`latchkey: ${env.LATCHKEY_ENDPOINT} cannot be reached (${why}): ${ADVICE}\n`);
      }
      // In cleartext. How the connection ends is a matter of moments.
      for (const protocol of ["http", "grpc"]) {
        const endpoint = `${protocol}://${server.address}`;
        const { code, out, err } = await runLatchkey(words, { env: { LATCHKEY_ENDPOINT: endpoint } });
        expect({ code, out }).toEqual({ code: 3, out: "" });
        const why = /\((?:UND_ERR_SOCKET|ECONNRESET|EPIPE|Failed to connect|Protocol error)\)/;
        expect(err.replace(why, "(WHY)")).toBe(
          `latchkey: ${endpoint} cannot be reached (WHY): is the service running there?\n`,
        );
      }
    } finally {
      await server.close();
    }
  }, 60_000);
});
