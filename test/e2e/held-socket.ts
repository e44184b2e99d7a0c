import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";

/** A TCP connection that can keep back what is written, to send it in one piece. */
export class HeldSocket extends Duplex {
  readonly #socket: Socket;
  #held: Buffer[] | undefined;

  /** `address`: host and port. */
  constructor(address: string) {
    super();
    const { hostname, port } = new URL(`tcp://${address}`);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on("data", (chunk) => this.push(chunk));
    this.#socket.on("end", () => this.push(null));
    this.#socket.on("error", (error) => this.destroy(error));
  }

  /** Keeps back what is written from here on. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    this.#socket.write(Buffer.concat(this.#held ?? []));
    this.#held = undefined;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#held === undefined) this.#socket.write(chunk);
    else this.#held.push(chunk);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
