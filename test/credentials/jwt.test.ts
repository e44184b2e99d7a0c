import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { compactVerify } from "jose";
import {
  isJwtShaped,
  type JwtAlgorithm,
  type JwtExpectations,
  type JwtVerificationKey,
  signJwt,
  verifyJwt,
} from "../../src/credentials/jwt.js";
import { anyClaims, SAMPLE_JSON, sampleClaims } from "./sample-claims.js";

/** A copy of the shared conformance vectors: RFC 8037 appendix A, and tokens that must be refused. */
const vectors: {
  readonly rfc8037: { readonly public_jwk: JsonWebKey; readonly compact: string };
  readonly negative: readonly { readonly name: string; readonly compact: string }[];
} = JSON.parse(readFileSync(new URL("../vectors/jose.json", import.meta.url), "utf8"));

const ed25519 = generateKeyPairSync("ed25519");
const otherEd25519 = generateKeyPairSync("ed25519");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const verificationKeys = new Map<string, JwtVerificationKey>([
  ["ed", { alg: "EdDSA", publicKey: ed25519.publicKey }],
  ["ed2", { alg: "EdDSA", publicKey: otherEd25519.publicKey }],
  ["rsa", { alg: "RS256", publicKey: rsa.publicKey }],
]);
const expected: JwtExpectations = { issuer: "latchkey", keyOf: (kid) => verificationKeys.get(kid) };
const INVALID = { error: "signature_invalid" };
const HEADER = { alg: "EdDSA", typ: "JWT", kid: "ed" };
const PAYLOAD = JSON.stringify(SAMPLE_JSON);

function encode(content: object | string): string {
  return Buffer.from(typeof content === "string" ? content : JSON.stringify(content)).toString("base64url");
}

/** A token with any header and payload, signed well by node:crypto. */
function makeToken(header: object | string, payload: object | string = PAYLOAD, key: KeyObject = ed25519.privateKey) {
  const input = `${encode(header)}.${encode(payload)}`;
  const digest = key.asymmetricKeyType === "rsa" ? "sha256" : null;
  return `${input}.${sign(digest, Buffer.from(input), key).toString("base64url")}`;
}

function splitToken(token: string): [string, string, string] {
  return token.split(".") as [string, string, string];
}

describe("a token that is signed", () => {
  test.each<[string, JwtAlgorithm, typeof ed25519]>([
    ["ed", "EdDSA", ed25519],
    ["rsa", "RS256", rsa],
  ])("with %s has header, claims and an %s signature, and verifies", async (kid, alg, { privateKey, publicKey }) => {
    const token = await signJwt(sampleClaims, { kid, alg, privateKey });
    const [header, payload, signature] = splitToken(token);
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({ alg, typ: "JWT", kid });
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual(SAMPLE_JSON);
    const digest = alg === "RS256" ? "sha256" : null;
    expect(verify(digest, Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, "base64url"))).toBe(
      true,
    );
    expect(isJwtShaped(token)).toBe(true);
    expect(verifyJwt(token, expected)).toEqual({ claims: sampleClaims });
    expect(verifyJwt(makeToken({ alg, typ: "JWT", kid }, PAYLOAD, privateKey), expected)).toEqual({
      claims: sampleClaims,
    });
  });

  test("is read again, whatever it says", async () => {
    const key = { kid: "ed", alg: "EdDSA", privateKey: ed25519.privateKey } as const;
    await fc.assert(
      fc.asyncProperty(anyClaims, async (claims) => {
        const token = await signJwt(claims, key);
        expect(verifyJwt(token, { ...expected, issuer: claims.issuer, audience: claims.audience })).toEqual({
          claims,
        });
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test("verifies whatever its times are: the caller has the clock", async () => {
    const times = { ...SAMPLE_JSON, iat: 253_402_300_799, nbf: 253_402_300_799, exp: 0 };
    const verified = verifyJwt(makeToken(HEADER, times), expected);
    expect(verified).toEqual({
      claims: { ...sampleClaims, issueTime: new Date(253_402_300_799_000), expireTime: new Date(0) },
    });
  });
});

describe("the header of a token", () => {
  test.each<[string, object | string]>([
    ["no typ", { alg: "EdDSA", kid: "ed" }],
    ["another typ", { ...HEADER, typ: "at+jwt" }],
    ["typ in lower case", { ...HEADER, typ: "jwt" }],
    ["typ as a list", { ...HEADER, typ: ["JWT"] }],
    ["no kid", { alg: "EdDSA", typ: "JWT" }],
    ["an unknown kid", { ...HEADER, kid: "ed3" }],
    ["the kid of another key", { ...HEADER, kid: "ed2" }],
    ["the kid of a key with another algorithm", { ...HEADER, kid: "rsa" }],
    ["a kid that is a path", { ...HEADER, kid: "../../ed" }],
    ["a kid that is a URL", { ...HEADER, kid: "file:///dev/null" }],
    ["a kid that every object has", { ...HEADER, kid: "__proto__" }],
    ["an empty kid", { ...HEADER, kid: "" }],
    ["a kid that is a number", { ...HEADER, kid: 1 }],
    ["a kid in a list", { ...HEADER, kid: ["ed"] }],
    ["no alg", { typ: "JWT", kid: "ed" }],
    ["alg none", { ...HEADER, alg: "none" }],
    ["alg None", { ...HEADER, alg: "None" }],
    ["alg in lower case", { ...HEADER, alg: "eddsa" }],
    ["another name of the algorithm", { ...HEADER, alg: "Ed25519" }],
    ["alg RS256 with an Ed25519 key", { ...HEADER, alg: "RS256" }],
    ["crit", { ...HEADER, crit: ["exp"] }],
    ["crit with an extension that jose knows", { ...HEADER, crit: ["b64"], b64: true }],
    ["b64", { ...HEADER, b64: false }],
    ["an embedded key", { ...HEADER, jwk: ed25519.publicKey.export({ format: "jwk" }) }],
    ["the address of a key set", { ...HEADER, jku: "https://example.com/jwks.json" }],
    ["a certificate", { ...HEADER, x5c: ["AAAA"] }],
    ["the address of a certificate", { ...HEADER, x5u: "https://example.com/cert.pem" }],
    ["an unknown member", { ...HEADER, other: 1 }],
    ["a member named __proto__", '{"__proto__": {}, "alg": "EdDSA", "typ": "JWT", "kid": "ed"}'],
    ["a list around it", [HEADER]],
    ["null in its place", "null"],
    ["text after it", `${JSON.stringify(HEADER)}x`],
    ["a byte order mark", `\ufeff${JSON.stringify(HEADER)}`],
  ])("is refused with %s", async (_, header) => {
    expect(verifyJwt(makeToken(HEADER), expected)).toEqual({ claims: sampleClaims });
    expect(verifyJwt(makeToken(header), expected)).toEqual(INVALID);
  });

  test("is refused with a key of its own that made the signature", async () => {
    const attacker = generateKeyPairSync("ed25519");
    const jwk = attacker.publicKey.export({ format: "jwk" });
    expect(verifyJwt(makeToken({ ...HEADER, jwk }, PAYLOAD, attacker.privateKey), expected)).toEqual(INVALID);
  });

  test.each(["EdDSA", "RS256", "HS256", "none"])(
    "is refused with HS256 and the public key as secret: %s",
    async (alg) => {
      for (const [kid, { publicKey }] of verificationKeys) {
        const input = `${encode({ alg, typ: "JWT", kid })}.${encode(PAYLOAD)}`;
        const secrets = [
          publicKey.export({ format: "pem", type: "spki" }),
          publicKey.export({ format: "der", type: "spki" }),
          JSON.stringify(publicKey.export({ format: "jwk" })),
          Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url"),
        ];
        for (const secret of secrets) {
          const signature = createHmac("sha256", secret).update(input).digest("base64url");
          expect(verifyJwt(`${input}.${signature}`, expected)).toEqual(INVALID);
        }
      }
    },
  );

  test("counts the last of two members with the same name, as the signature covers both", async () => {
    const last = '{"alg": "none", "kid": "ed2", "alg": "EdDSA", "typ": "JWT", "kid": "ed"}';
    expect(verifyJwt(makeToken(last), expected)).toEqual({ claims: sampleClaims });
    const first = '{"alg": "EdDSA", "kid": "ed", "typ": "JWT", "alg": "none"}';
    expect(verifyJwt(makeToken(first), expected)).toEqual(INVALID);
  });
});

describe("the parts of a token", () => {
  let token: string;
  beforeAll(async () => {
    token = await signJwt(sampleClaims, { kid: "ed", alg: "EdDSA", privateKey: ed25519.privateKey });
  });

  test.each([0, 1, 2])("have one spelling: part %d", async (index) => {
    const spell = (change: (part: string) => string) =>
      splitToken(token)
        .map((part, at) => (at === index ? change(part) : part))
        .join(".");
    expect(
      verifyJwt(
        spell((part) => part),
        expected,
      ),
    ).toEqual({ claims: sampleClaims });
    for (const extra of [" ", "\n", "\t", "=", "==", "A", "+", "/", "%3D", "\u0000", "\u00e9", "\ufeff"]) {
      expect(
        verifyJwt(
          spell((part) => part + extra),
          expected,
        ),
      ).toEqual(INVALID);
      expect(
        verifyJwt(
          spell((part) => extra + part),
          expected,
        ),
      ).toEqual(INVALID);
      expect(
        verifyJwt(
          spell((part) => part.slice(0, 5) + extra + part.slice(5)),
          expected,
        ),
      ).toEqual(INVALID);
    }
    expect(
      verifyJwt(
        spell(() => ""),
        expected,
      ),
    ).toEqual(INVALID);
    expect(
      verifyJwt(
        spell((part) => part.slice(0, -1)),
        expected,
      ),
    ).toEqual(INVALID);
  });

  test("have no bits that may be changed, the unused ones included", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const positions = [0, 1, 2].flatMap((index) => {
      const end =
        splitToken(token)
          .slice(0, index + 1)
          .join(".").length - 1;
      return [end - 20, end - 1, end];
    });
    for (const at of positions) {
      for (const letter of alphabet) {
        if (letter === token[at]) continue;
        expect(verifyJwt(token.slice(0, at) + letter + token.slice(at + 1), expected)).toEqual(INVALID);
      }
    }
  });

  test("are three", async () => {
    const [header, payload, signature] = splitToken(token);
    for (const wrong of [
      ...["", ".", "..", "...", header, `${header}.${payload}`, `${token}.`, `.${token}`, `${token}.${signature}`],
      ...[`${header}..${payload}.${signature}`, ".".repeat(16_384)],
    ]) {
      expect(verifyJwt(wrong, expected)).toEqual(INVALID);
    }
  });

  test("belong together", async () => {
    const [header, , signature] = splitToken(token);
    const tampered = encode({ ...SAMPLE_JSON, scp: ["admin"] });
    expect(verifyJwt(`${header}.${tampered}.${signature}`, expected)).toEqual(INVALID);
    const [, payload] = splitToken(makeToken({ ...HEADER, kid: "ed2" }, PAYLOAD, otherEd25519.privateKey));
    expect(verifyJwt(`${encode({ ...HEADER, kid: "ed2" })}.${payload}.${signature}`, expected)).toEqual(INVALID);
  });

  test("are at most 16 KiB together", async () => {
    const base = makeToken(HEADER, { ...SAMPLE_JSON, pad: "" }).length;
    const padding = Math.floor(((16_384 - base) * 3) / 4);
    // A part of base64url cannot have any length, so the header varies too.
    const tokens = [0, 1, 2].flatMap((spaces) =>
      [-3, -2, -1, 0, 1, 2].map((more) =>
        makeToken(JSON.stringify(HEADER) + " ".repeat(spaces), { ...SAMPLE_JSON, pad: "x".repeat(padding + more) }),
      ),
    );
    const [longest = "", tooLong = ""] = [16_384, 16_385].map((length) =>
      tokens.find((text) => text.length === length),
    );
    expect([longest.length, tooLong.length]).toEqual([16_384, 16_385]);
    expect([isJwtShaped(longest), isJwtShaped(tooLong)]).toEqual([true, false]);
    expect(verifyJwt(longest, expected)).toHaveProperty("claims");
    expect(verifyJwt(tooLong, expected)).toEqual(INVALID);
  });
});

describe("the claims of a token", () => {
  test.each<[string, object | string]>([
    ["of another issuer", { ...SAMPLE_JSON, iss: "else" }],
    ["of an issuer that differs in case", { ...SAMPLE_JSON, iss: "Latchkey" }],
    ["with an audience where none is configured", { ...SAMPLE_JSON, aud: "api" }],
    ["of another shape", { ...SAMPLE_JSON, scp: "read write" }],
    ["with a claim of a reserved name", { ...SAMPLE_JSON, scope: "all" }],
    ["that are no object", JSON.stringify([SAMPLE_JSON])],
    ["that are no JSON", "claims"],
    ["with text after them", `${PAYLOAD}x`],
    ["with a byte order mark", `\ufeff${PAYLOAD}`],
  ])("are refused: %s", async (_, payload) => {
    expect(verifyJwt(makeToken(HEADER, payload), expected)).toEqual(INVALID);
  });

  test("are refused when they are not UTF-8", async () => {
    const payload = Buffer.from(PAYLOAD.replace("svc-billing", "svc-\u00ff"), "latin1").toString("base64url");
    const input = `${encode(HEADER)}.${payload}`;
    const signature = sign(null, Buffer.from(input), ed25519.privateKey).toString("base64url");
    expect(verifyJwt(`${input}.${signature}`, expected)).toEqual(INVALID);
  });

  test("name exactly the audience that is configured", async () => {
    const audienced = makeToken(HEADER, { ...SAMPLE_JSON, aud: "api" });
    const claims = { ...sampleClaims, audience: "api" };
    expect(verifyJwt(audienced, { ...expected, audience: "api" })).toEqual({ claims });
    expect(verifyJwt(audienced, { ...expected, audience: "else" })).toEqual(INVALID);
    expect(verifyJwt(makeToken(HEADER), { ...expected, audience: "api" })).toEqual(INVALID);
    const several = makeToken(HEADER, { ...SAMPLE_JSON, aud: ["api"] });
    expect(verifyJwt(several, { ...expected, audience: "api" })).toEqual(INVALID);
  });

  test("count the last of two members with the same name", async () => {
    const payload = PAYLOAD.replace("{", '{"scp": ["admin"], ');
    expect(verifyJwt(makeToken(HEADER, payload), expected)).toEqual({ claims: sampleClaims });
  });
});

describe("published tokens", () => {
  const key: JwtVerificationKey = {
    alg: "EdDSA",
    publicKey: createPublicKey({ format: "jwk", key: vectors.rfc8037.public_jwk }),
  };

  test.each(vectors.negative)("are refused: $name", async ({ compact }) => {
    expect(verifyJwt(compact, { ...expected, keyOf: () => key })).toEqual(INVALID);
  });

  test("are refused when they say too little: RFC 8037 appendix A.4 has neither typ nor kid nor claims", async () => {
    expect(verifyJwt(vectors.rfc8037.compact, { ...expected, keyOf: () => key })).toEqual(INVALID);
  });
});

test("a token that verifies never comes from any other text", async () => {
  const part = fc.string({ unit: fc.constantFrom(..."AZaz09-_=+/ \n"), maxLength: 40 });
  const header = fc.oneof(part, fc.constant(encode(HEADER)), fc.json().map(encode));
  const payload = fc.oneof(part, fc.constant(encode(PAYLOAD)), fc.json().map(encode));
  const token = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.tuple(header, payload, part).map((parts) => parts.join(".")),
    fc.tuple(header, payload, fc.uint8Array({ maxLength: 80 })).map(([first, second, signature]) => {
      return `${first}.${second}.${Buffer.from(signature).toString("base64url")}`;
    }),
  );
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      expect(verifyJwt(text, expected)).toEqual(INVALID);
      expect(typeof isJwtShaped(text)).toBe("boolean");
    }),
    { seed: 1, numRuns: 1_000 },
  );
});

test("a key that does not fit its algorithm is the caller's mistake", () => {
  const keyOf = () => ({ alg: "EdDSA", publicKey: rsa.publicKey }) as const;
  expect(() => verifyJwt(makeToken(HEADER), { ...expected, keyOf })).toThrow(
    new TypeError("a key for EdDSA is of another type"),
  );
});

test("jose takes what is signed here, and with one character changed nothing is taken", async () => {
  const tokens = [
    await signJwt(sampleClaims, { kid: "ed", alg: "EdDSA", privateKey: ed25519.privateKey }),
    await signJwt(sampleClaims, { kid: "rsa", alg: "RS256", privateKey: rsa.privateKey }),
  ];
  for (const token of tokens) {
    const [header] = splitToken(token);
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
    const { publicKey } = verificationKeys.get(kid) ?? {};
    if (publicKey === undefined) throw new Error(`there is no key ${kid}`);
    await expect(compactVerify(token, publicKey)).resolves.toBeDefined();
    for (let at = 0; at < token.length; at++) {
      const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
      expect(verifyJwt(changed, expected)).toEqual(INVALID);
    }
  }
});

describe("the form of a JWT", () => {
  test.each([
    ["three parts, the first a JSON object", `${encode({})}.a.b`],
    ["no signature", `${encode({ alg: "none" })}.e30.`],
    ["white space in the JSON", `${encode(" { } ")}.a.b`],
  ])("is %s", (_, credential) => {
    expect(isJwtShaped(credential)).toBe(true);
  });

  test.each([
    ["nothing", ""],
    ["two parts", `${encode({})}.a`],
    ["four parts", `${encode({})}.a.b.c`],
    ["no payload", `${encode({})}..b`],
    ["no header", ".a.b"],
    ["padding", `${encode({})}=.a.b`],
    ["white space in front", ` ${encode({})}.a.b`],
    ["a line end", `${encode({})}.a.b\n`],
    ["the alphabet of base64", `${encode({})}.a+/.b`],
    ["a list as header", `${encode([])}.a.b`],
    ["null as header", `${encode("null")}.a.b`],
    ["text as header", `${encode('"a"')}.a.b`],
    ["a header that is no JSON", `${encode("{")}.a.b`],
    ["a header that is not UTF-8", `${Buffer.from('{"a":"\u00ff"}', "latin1").toString("base64url")}.a.b`],
    ["a name with dots", "api.example.com"],
    ["more than 16 KiB", `${encode({})}.${"a".repeat(16_384)}.b`],
  ])("is not %s", (_, credential) => {
    expect(isJwtShaped(credential)).toBe(false);
  });
});
