import { once } from "node:events";
import { connect, type Socket } from "node:net";

const LIMIT_MS = 10_000;

/** A TCP connection whose bytes a test writes and reads itself. */
export class RawConnection {
  /** Everything that was received so far. */
  received: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on("error", () => undefined); // a reset is one way to be closed
    socket.on("close", () => {
      this.#closed = true;
    });
  }

  static async open(address: string): Promise<RawConnection> {
    const { hostname, port } = new URL(`tcp://${address}`);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Resolves when the bytes are with the operating system. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** Says that no more will be written. */
  end(): void {
    this.#socket.end();
  }

  /** Resolves when what was received satisfies `check`. */
  async receive(check: (received: Buffer) => boolean): Promise<Buffer> {
    await this.#until(() => check(this.received), `${this.received.length} bytes are not what was expected`);
    return this.received;
  }

  async closed(): Promise<void> {
    await this.#until(() => this.#closed, "the connection stays open");
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #until(isDone: () => boolean, problem: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (isDone()) settle(resolve);
        else if (this.#closed) settle(() => reject(new Error(`closed, and ${problem}`)));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(problem))), LIMIT_MS);
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.#socket.off("data", look).off("close", look);
        outcome();
      };
      this.#socket.on("data", look).on("close", look);
      look();
    });
  }
}

export interface RawReply {
  readonly status: number;
  /** The head, in lower case. */
  readonly head: string;
  readonly body: string;
}

/** Reads one HTTP/1.1 answer with a Content-Length. */
export async function readHttp1Reply(connection: RawConnection): Promise<RawReply> {
  const parse = (received: Buffer): RawReply | undefined => {
    const end = received.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const head = received.subarray(0, end).toString("latin1").toLowerCase();
    const length = Number(/^content-length: (\d+)/m.exec(head)?.[1] ?? Number.NaN);
    const body = received.subarray(end + 4);
    return body.length < length
      ? undefined
      : { status: Number(head.split(" ")[1]), head, body: body.toString("utf8", 0, length) };
  };
  const received = await connection.receive((bytes) => parse(bytes) !== undefined);
  const reply = parse(received);
  if (reply === undefined) throw new Error("no answer");
  return reply;
}
