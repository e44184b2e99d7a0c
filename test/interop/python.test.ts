/** Derived tokens in the hands of libraries that other people wrote: PyJWT and pymacaroons. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { addCaveat, createMacaroon, verifySignature } from "../../src/credentials/macaroon.js";
import { createClaimsMacaroon, formatMacaroonToken, parseMacaroonToken } from "../../src/credentials/macaroon-token.js";
import { SAMPLE_JSON, sampleClaims } from "../credentials/sample-claims.js";
import { Api } from "../e2e/api.js";
import { createFetchRestClient } from "../e2e/clients/rest-client.js";
import { startTestServer, type TestServer } from "../e2e/server.js";
import { createPython } from "./python.js";

const MACAROON = { algorithm: "TOKEN_ALGORITHM_MACAROON" };
const PREFIX = "mc";

const found = await createPython();

if ("problem" in found) {
  describe.skip(`Python, ${found.problem}`, () => {
    test("reads derived tokens", () => {});
  });
} else {
  const { python } = found;
  afterAll(() => python.dispose());

  describe("PyJWT", () => {
    let server: TestServer;
    let api: Api;

    beforeAll(async () => {
      server = await startTestServer();
      api = new Api(createFetchRestClient(server.url), server.tokens, server.signingJwk);
    });
    afterAll(() => server.close());

    const verify = (token: string, question: object = {}) =>
      python.ask({
        ask: "verify_jwt",
        token,
        jwks_url: `${server.url}/.well-known/jwks.json`,
        algorithms: ["EdDSA"],
        issuer: "latchkey",
        ...question,
      });

    test("verifies a JWT by the published keys, and nothing that was made of it", async () => {
      const { secret } = await api.issue({ actor_id: "python", scopes: ["a", "b"] });
      const { token, claims } = await api.derive(secret, { custom_claims: { order: 7, naïve: { list: [1, null] } } });
      expect(await verify(token)).toEqual({ claims });
      expect(await verify(token, { issuer: "other" })).toEqual({ error: "InvalidIssuerError" });
      expect(await verify(token, { algorithms: ["RS256"] })).toEqual({ error: "InvalidAlgorithmError" });
      const other = await api.derive(secret);
      const [header, , signature] = token.split(".");
      expect(await verify([header, other.token.split(".")[1], signature].join("."))).toEqual({
        error: "InvalidSignatureError",
      });
    });
  });

  describe("pymacaroons", () => {
    const rootKey = randomBytes(32);
    const root_key = rootKey.toString("hex");

    test("reads and verifies a token with caveats that were added here", async () => {
      const caveats = ['scp subset ["read"]', "exp <= 1700000000", 'acl subset ["10.0.0.0/8"]'];
      const macaroon = caveats
        .map((caveat) => Buffer.from(caveat))
        .reduce(addCaveat, createClaimsMacaroon(sampleClaims, rootKey));
      const token = formatMacaroonToken(macaroon, PREFIX);
      const answer = { holds: true, identifier: JSON.stringify(SAMPLE_JSON), caveats };
      expect(await python.ask({ ask: "verify_macaroon", token, root_key })).toEqual(answer);
      const other = randomBytes(32).toString("hex");
      expect(await python.ask({ ask: "verify_macaroon", token, root_key: other })).toEqual({ ...answer, holds: false });
    });

    test("makes a token that is read and verified here", async () => {
      const identifier = JSON.stringify(SAMPLE_JSON);
      const question = { ask: "create_macaroon", prefix: PREFIX, location: "latchkey", identifier, root_key };
      const { token } = await python.ask<{ token: string }>(question);
      expect(token).toBe(formatMacaroonToken(createMacaroon(rootKey, Buffer.from(identifier), "latchkey"), PREFIX));
      const parsed = parseMacaroonToken(token, PREFIX);
      if ("error" in parsed) throw new Error("it was not read");
      expect(parsed.claims).toEqual(sampleClaims);
      expect(verifySignature(parsed.macaroon, rootKey)).toBe(true);
    });

    test("narrows a token of the service, which the service then takes for what it is", async () => {
      const server = await startTestServer();
      try {
        const api = new Api(createFetchRestClient(server.url), server.tokens);
        const { secret } = await api.issue({ actor_id: "python", scopes: ["a", "b"] });
        const { token: whole } = await api.derive(secret, MACAROON);
        const narrow = async (...caveats: string[]) =>
          (await python.ask<{ token: string }>({ ask: "narrow", token: whole, caveats })).token;
        expect(await api.verify(await narrow('scp subset ["b"]'))).toMatchObject({ is_valid: true, scopes: ["b"] });
        const expired = await api.verify(await narrow('scp subset ["b"]', "exp <= 1700000000"));
        expect(expired.error_code).toBe("VERIFICATION_ERROR_EXPIRED");
        const unknown = await api.verify(await narrow("something else"));
        expect(unknown.error_code).toBe("VERIFICATION_ERROR_INVALID_FORMAT");
      } finally {
        await server.close();
      }
    });
  });
}
