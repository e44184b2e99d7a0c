import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";

/** How the bytes of a connection are cut before they are sent: as they come, one by one, at random, or many writes in one. */
export type Chunking = "as they come" | "one byte each" | "at random" | "as few as possible";

const LARGEST_PIECE = 40;

/** A TCP connection that sends its bytes in other pieces than it was given. */
export class ChunkedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #chunking: Chunking;
  readonly #random: () => number;

  constructor(port: number, chunking: Chunking, random: () => number) {
    super();
    this.#chunking = chunking;
    this.#random = random;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.on("data", (chunk) => this.push(chunk));
    this.#socket.on("end", () => this.push(null));
    this.#socket.on("error", (error) => this.destroy(error));
    if (chunking === "as few as possible") this.cork();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    for (let start = 0; start < chunk.length; ) {
      const end = start + this.#nextSize(chunk.length);
      this.#socket.write(chunk.subarray(start, end));
      start = end;
    }
    done();
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  /** Sends what was written so far, when that is not done by itself. */
  flush(): void {
    if (this.#chunking !== "as few as possible") return;
    this.uncork();
    this.cork();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #nextSize(length: number): number {
    if (this.#chunking === "one byte each") return 1;
    if (this.#chunking === "at random") return 1 + (this.#random() % LARGEST_PIECE);
    return length;
  }
}
