import { describe, expect, test } from "@jest/globals";
import { jwksUrlMistake } from "../../src/config/jwks-url.js";

const FORMS = "must be file:///path, https://host/path or base64://<JWK Set in base64>";
const CLEARTEXT = "must not be http://, which shows private keys to the network; use https://";
const USER = "must not hold a user name or a password";

describe("jwksUrlMistake", () => {
  test.each([
    "file:///etc/latchkey/keys.json",
    "file:///a%20b",
    "FILE:///a",
    "https://keys.example.com/jwks.json?token=a",
    "HTTPS://127.0.0.1:8443",
    "https://[::1]/jwks",
    "base64://eyJrZXlzIjpbXX0=",
    "base64://_-+/",
  ])("takes %s", (url) => {
    expect(jwksUrlMistake(url)).toBeUndefined();
  });

  test.each([
    ["", FORMS],
    ["/etc/keys.json", FORMS],
    [" file:///a", FORMS],
    ["file://keys.json", FORMS],
    ["file://host/keys.json", FORMS],
    ["file:/keys.json", FORMS],
    ["file:///a%2Fb", FORMS],
    ["https:", FORMS],
    ["https://", FORMS],
    ["https:///keys", FORMS],
    ["https:\\\\host\\keys", FORMS],
    ["https://a b/", FORMS],
    ["https://host:99999/", FORMS],
    ["base64://", FORMS],
    ["base64://===", FORMS],
    ["base64://eyJ*", FORMS],
    ["base64://eyJr\nZXlz", FORMS],
    ["data:,x", FORMS],
    ["ftp://host/keys", FORMS],
    ["http://host/keys", CLEARTEXT],
    ["http://127.0.0.1/keys", CLEARTEXT],
    ["HTTP://localhost/keys", CLEARTEXT],
    ["https://user@host/keys", USER],
    ["https://user:hunter2@host/keys", USER],
    ["https://:hunter2@host/keys", USER],
  ])("refuses %j", (url, mistake) => {
    expect(jwksUrlMistake(url)).toBe(mistake);
  });
});
