/**
 * The least that tokens cost: their signatures alone, by node:crypto on one thread, over as many bytes.
 *
 *     node --import ./test/ts-loader.mjs bench/loops/bare-crypto.ts SIGNED_BYTES IDENTIFIER_BYTES
 *
 * SIGNED_BYTES of a JWT are its header, its dot and its payload; IDENTIFIER_BYTES of a macaroon are its claims.
 */
import { createHmac, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { repeatForAWhile, serveLoops } from "./serve-loops.js";

const MESSAGES = 1_000;
const HMAC_KEY_BYTES = 32;
/** What the root key of a macaroon is made from: a tenant id, a key id as text, a seed. */
const SEED_BYTES = 16 + 36 + 32;

const [signedBytes, identifierBytes] = process.argv.slice(2).map(Number);
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const signed = Array.from({ length: MESSAGES }, () => {
  const data = randomBytes(signedBytes ?? 0);
  return { data, signature: sign(null, data, privateKey) };
});
const identifier = randomBytes(identifierBytes ?? 0);
const key = randomBytes(HMAC_KEY_BYTES);
const seed = randomBytes(SEED_BYTES);
const generator = Buffer.from("macaroons-key-generator");

serveLoops({
  verify: (seconds) =>
    repeatForAWhile(seconds, (at) => {
      const { data, signature } = messageAt(at);
      if (!verify(null, data, publicKey, signature)) throw new Error("a signature does not hold");
    }),
  sign: (seconds) => repeatForAWhile(seconds, (at) => void sign(null, messageAt(at).data, privateKey)),
  /** The root key, the key that is made of it, the signature. */
  hmac: (seconds) => repeatForAWhile(seconds, () => void hmac(hmac(generator, hmac(key, seed)), identifier)),
});

function messageAt(at: number): { readonly data: Buffer; readonly signature: Buffer } {
  const message = signed[at % MESSAGES];
  if (message === undefined) throw new Error("there are no messages");
  return message;
}

function hmac(hmacKey: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", hmacKey).update(data).digest();
}
