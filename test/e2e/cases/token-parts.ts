/** Derived tokens from the holder's side: what can be read and changed without any key of the service. */
import { createHmac, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { addCaveat } from "../../../src/credentials/macaroon.js";
import { formatMacaroonToken, parseMacaroonToken } from "../../../src/credentials/macaroon-token.js";
import type { JsonObject } from "../clients/api-client.js";
import type { SigningJwk } from "../server.js";

const MACAROON_PREFIX = "mc";

export interface JwtParts {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signature: string;
}

export function readJwt(token: string): JwtParts {
  const [header = "", payload = "", signature = ""] = token.split(".");
  return { header: fromBase64Url(header), payload: fromBase64Url(payload), signature };
}

/** The parts as they are, whatever they say. */
export function writeJwt({ header, payload, signature }: JwtParts): string {
  return `${signingInput(header, payload)}.${signature}`;
}

/** Signs with the service's own private key: for tokens that it would not make. */
export function signAsService(jwk: SigningJwk | undefined, header: JsonObject, payload: JsonObject): string {
  if (jwk === undefined) throw new Error("the server's signing key is not known");
  return signWith(createPrivateKey({ format: "jwk", key: jwk }), header, payload);
}

/** Signs with any Ed25519 key. */
export function signWith(key: KeyObject, header: JsonObject, payload: JsonObject): string {
  const input = signingInput(header, payload);
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

export function signHs256(secret: string | Uint8Array, header: JsonObject, payload: JsonObject): string {
  const input = signingInput(header, payload);
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** Another character in the middle of a base64url text, where every bit of it counts. */
export function withOtherCharacter(text: string): string {
  const middle = Math.floor(text.length / 2);
  return `${text.slice(0, middle)}${text[middle] === "A" ? "B" : "A"}${text.slice(middle + 1)}`;
}

/** What a holder does offline: adds caveats. */
export function withCaveats(token: string, ...caveats: readonly string[]): string {
  return formatMacaroonToken(
    caveats.map((caveat) => Buffer.from(caveat)).reduce(addCaveat, read(token)),
    MACAROON_PREFIX,
  );
}

/** The macaroon with other caveats and the signature that it had. */
export function withForgedCaveats(token: string, ...caveats: readonly string[]): string {
  const forged = { ...read(token), caveats: caveats.map((caveat) => Buffer.from(caveat)) };
  return formatMacaroonToken(forged, MACAROON_PREFIX);
}

/** The macaroon with other claims and the signature that it had. */
export function withForgedClaims(token: string, change: JsonObject): string {
  const macaroon = read(token);
  const claims = JSON.parse(Buffer.from(macaroon.identifier).toString()) as JsonObject;
  const identifier = Buffer.from(JSON.stringify({ ...claims, ...change }));
  return formatMacaroonToken({ ...macaroon, identifier }, MACAROON_PREFIX);
}

function read(token: string) {
  const parsed = parseMacaroonToken(token, MACAROON_PREFIX);
  if ("error" in parsed) throw new Error(`no macaroon: ${parsed.error}`);
  return parsed.macaroon;
}

function signingInput(header: JsonObject, payload: JsonObject): string {
  return `${toBase64Url(header)}.${toBase64Url(payload)}`;
}

function toBase64Url(json: JsonObject): string {
  return Buffer.from(JSON.stringify(json)).toString("base64url");
}

function fromBase64Url(text: string): JsonObject {
  return JSON.parse(Buffer.from(text, "base64url").toString()) as JsonObject;
}
