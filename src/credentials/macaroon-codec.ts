/**
 * Macaroons in the binary format, version 2 (libmacaroons, doc/format.txt):
 *
 *     macaroon = %x02 [ location ] identifier end *( identifier end ) end signature
 *     location = %x01 length text       ; not empty
 *     identifier = %x02 length bytes    ; the macaroon's, then the caveats'
 *     signature = %x06 length bytes     ; 32 of them
 *     end = %x00
 *     length = unsigned LEB128, the shortest form
 *
 * A macaroon has one encoding: what does not encode to the same bytes does not decode. Third-party caveats (with a
 * location and a verification id, %x04) are refused.
 */
import { decodeUtf8 } from "./json.js";
import { decodeVarint, encodeVarint } from "./varint.js";

export const SIGNATURE_BYTES = 32;
/** What fits into a credential of 16 KiB in base64url. */
export const MAX_MACAROON_BYTES = 12_288;

const VERSION = 2;
const FIELD = { end: 0, location: 1, identifier: 2, signature: 6 } as const;

export interface Macaroon {
  /** A hint where the macaroon belongs. The signature does not cover it. */
  readonly location?: string;
  readonly identifier: Uint8Array;
  /** First-party caveats, the oldest first. */
  readonly caveats: readonly Uint8Array[];
  /** 32 bytes. */
  readonly signature: Uint8Array;
}

/**
 * The encoding of a macaroon, however long. A location that is empty is none.
 * @throws RangeError when the signature does not have 32 bytes
 */
export function encodeMacaroon(macaroon: Macaroon): Uint8Array {
  const { location, identifier, caveats, signature } = macaroon;
  if (signature.length !== SIGNATURE_BYTES) throw new RangeError(`a signature has ${SIGNATURE_BYTES} bytes`);
  const end = Uint8Array.of(FIELD.end);
  return Buffer.concat([
    Uint8Array.of(VERSION),
    ...(location ? encodeField(FIELD.location, Buffer.from(location)) : []),
    ...[...encodeField(FIELD.identifier, identifier), end],
    ...caveats.flatMap((caveat) => [...encodeField(FIELD.identifier, caveat), end]),
    ...[end, ...encodeField(FIELD.signature, signature)],
  ]);
}

/**
 * Reads a macaroon; `undefined` for bytes that are none, and for more than `MAX_MACAROON_BYTES`. Never throws. What is
 * answered shares the memory of `bytes`.
 */
export function decodeMacaroon(bytes: Uint8Array): Macaroon | undefined {
  if (bytes.length > MAX_MACAROON_BYTES || bytes[0] !== VERSION) return undefined;
  const fields = new FieldReader(bytes, 1);

  let location: string | undefined;
  if (fields.nextIs(FIELD.location)) {
    location = decodeUtf8(fields.take(FIELD.location) ?? Buffer.alloc(0));
    if (!location) return undefined;
  }
  const identifier = fields.take(FIELD.identifier);
  if (identifier === undefined || !fields.takeEnd()) return undefined;

  const caveats: Uint8Array[] = [];
  while (!fields.takeEnd()) {
    const caveat = fields.take(FIELD.identifier);
    if (caveat === undefined || !fields.takeEnd()) return undefined;
    caveats.push(caveat);
  }

  const signature = fields.take(FIELD.signature);
  if (signature?.length !== SIGNATURE_BYTES || !fields.isDone()) return undefined;
  return { ...(location && { location }), identifier, caveats, signature };
}

class FieldReader {
  readonly #bytes: Uint8Array;
  #offset: number;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  nextIs(type: number): boolean {
    return this.#bytes[this.#offset] === type;
  }

  isDone(): boolean {
    return this.#offset === this.#bytes.length;
  }

  takeEnd(): boolean {
    if (!this.nextIs(FIELD.end)) return false;
    this.#offset++;
    return true;
  }

  /** The content of the next field; `undefined` when it has another type, or ends after the input. */
  take(type: number): Uint8Array | undefined {
    const length = this.nextIs(type) ? decodeVarint(this.#bytes, this.#offset + 1) : undefined;
    if (length === undefined || length.end + length.value > this.#bytes.length) return undefined;
    this.#offset = length.end + length.value;
    return this.#bytes.subarray(length.end, this.#offset);
  }
}

function encodeField(type: number, content: Uint8Array): readonly Uint8Array[] {
  return [Uint8Array.of(type), encodeVarint(content.length), content];
}
