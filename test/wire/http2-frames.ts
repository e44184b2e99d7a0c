/** HTTP/2 frames by hand (RFC 9113 section 6), for connections that no client would make. */

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEADER_BYTES = 9;
const TYPE_OFFSET = 3;
const FLAGS_OFFSET = 4;
const STREAM_OFFSET = 5;
const CANCEL = 8;
/** Of an HPACK integer with a prefix of seven bits (RFC 7541 section 5.1). */
const PREFIX_MAX = 127;

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, TYPE_OFFSET);
  header.writeUInt8(type, TYPE_OFFSET);
  header.writeUInt8(flags, FLAGS_OFFSET);
  header.writeUInt32BE(streamId, STREAM_OFFSET);
  return Buffer.concat([header, payload]);
}

/** What a client begins with. */
export function opening(): Buffer {
  return Buffer.concat([PREFACE, frame(FrameType.settings, 0, 0)]);
}

export function headersFrame(streamId: number, fields: Readonly<Record<string, string>>, flags = END_HEADERS): Buffer {
  return frame(FrameType.headers, flags, streamId, encodeHeaders(Object.entries(fields)));
}

export function resetFrame(streamId: number): Buffer {
  return frame(FrameType.reset, 0, streamId, uint32(CANCEL));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** HPACK without tables and without Huffman: each field a literal that is not to be indexed (RFC 7541 section 6.2.2). */
export function encodeHeaders(fields: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of fields) parts.push(Buffer.from([0]), encodeText(name), encodeText(value));
  return Buffer.concat(parts);
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The frames in what a server sent, but for the last when it is not whole. */
export function readFrames(bytes: Buffer): Frame[] {
  const frames = [];
  for (let start = 0; start + HEADER_BYTES <= bytes.length; ) {
    const end = start + HEADER_BYTES + bytes.readUIntBE(start, TYPE_OFFSET);
    if (end > bytes.length) break;
    const type = bytes.readUInt8(start + TYPE_OFFSET);
    const flags = bytes.readUInt8(start + FLAGS_OFFSET);
    const streamId = bytes.readUInt32BE(start + STREAM_OFFSET);
    frames.push({ type, flags, streamId, payload: bytes.subarray(start + HEADER_BYTES, end) });
    start = end;
  }
  return frames;
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([encodeLength(bytes.length), bytes]);
}

function encodeLength(length: number): Buffer {
  if (length < PREFIX_MAX) return Buffer.from([length]);
  const bytes = [PREFIX_MAX];
  let rest = length - PREFIX_MAX;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
