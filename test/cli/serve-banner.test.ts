import { expect, test } from "@jest/globals";
import { type BannerFacts, serveBanner } from "../../src/cli/serve-banner.js";

const facts: BannerFacts = {
  version: "0.1.0",
  url: "http://127.0.0.1:4420",
  store: "embedded, in data/store",
  secrets: {
    directory: "data/secrets",
    files: ["data/secrets/hmac", "data/secrets/pepper", "data/secrets/admin-token"],
  },
  admin: { tokenFile: "data/secrets/admin-token" },
};

test("tells where things are and what to try", () => {
  expect(serveBanner(facts)).toBe(`Latchkey 0.1.0 is ready at http://127.0.0.1:4420
  store    embedded, in data/store
  secrets  data/secrets (hmac, pepper, admin-token)

Issue a key, over REST and over gRPC:

  curl -H "Authorization: Bearer $(cat data/secrets/admin-token)" -H 'Content-Type: application/json' \\
    -d '{"name":"demo","actor_id":"me"}' http://127.0.0.1:4420/v2alpha1/admin/issuedApiKeys

  npx buf curl --protocol grpc --http2-prior-knowledge -H "Authorization: Bearer $(cat data/secrets/admin-token)" \\
    -d '{"name":"demo","actor_id":"me"}' http://127.0.0.1:4420/latchkey.v2alpha1.ApiKeysService/AdminIssueApiKey
`);
});

test("over TLS, HTTP/2 comes by itself", () => {
  const banner = serveBanner({ ...facts, url: "https://latchkey.example" });
  expect(banner).toContain("npx buf curl --protocol grpc -H ");
});

test("uses the configured token, or none", () => {
  expect(serveBanner({ ...facts, admin: "configured-token" })).toContain('-H "Authorization: Bearer $LATCHKEY_TOKEN" ');
  expect(serveBanner({ ...facts, admin: "none" })).not.toContain("Authorization");
});

test("quotes a path that a shell would split", () => {
  const banner = serveBanner({ ...facts, admin: { tokenFile: "/o'my data/admin-token" } });
  expect(banner).toContain(`$(cat '/o'\\''my data/admin-token')`);
});
