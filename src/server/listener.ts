/**
 * One port for both HTTP versions. In cleartext the first bytes of a connection tell (HTTP/2 with prior knowledge,
 * RFC 9113 section 3.4); with a certificate ALPN does. Either way the socket is handed to Node's own server for its
 * version; neither of those listens itself.
 */
import { readFileSync } from "node:fs";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Request, Response } from "./lane.js";

const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Of one HTTP/2 connection. */
const MAX_CONCURRENT_STREAMS = 256;
/** How often HTTP/1 connections are looked at for requests that took too long to arrive. */
const TIMEOUT_CHECK_INTERVAL_MS = 5_000;
const ALPN_HTTP2 = "h2";
const ALPN_HTTP1 = "http/1.1";

/** PEM files. `clientCaFile`: clients must show a certificate that it vouches for. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
}

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Absent: cleartext. */
  readonly tls: TlsFiles | undefined;
  readonly maxConnections: number;
  /** How long a new connection may stay silent (with TLS: how long its handshake may take). */
  readonly firstByteTimeoutMs: number;
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs: number;
  readonly onRequest: (request: Request, response: Response) => void;
}

export interface Listener {
  /** Such as `http://127.0.0.1:4420`. */
  readonly url: string;
  /**
   * Stops: takes no connection and no new request (HTTP/2 clients get GOAWAY), lets the ones under way finish, and cuts
   * what is left after `drainTimeoutMs`.
   */
  close(drainTimeoutMs: number): Promise<void>;
}

/** Rejects when the address cannot be bound or a certificate cannot be read. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let draining = false;

  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS } });
  http2.on("request", options.onRequest);
  http2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    if (draining) session.close();
  });

  const http1Options = {
    requestTimeout: options.requestTimeoutMs,
    headersTimeout: options.requestTimeoutMs,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
  };
  const http1 = createHttp1Server(http1Options, (request, response) => {
    // A connection that served its last request while draining is idle from then on.
    response.once("close", () => setImmediate(() => draining && http1.closeIdleConnections()));
    options.onRequest(request, response);
  });
  http1.emit("listening"); // starts the checks of header and request timeouts, which a server that listens does itself

  const silent = new Set<Socket>();
  const hand = (socket: Socket, isHttp2: boolean) => {
    silent.delete(socket);
    (isHttp2 ? http2 : http1).emit("connection", socket);
  };
  const server = options.tls
    ? createTlsListener(options.tls, options.firstByteTimeoutMs, hand)
    : createTcpServer({ noDelay: true }, (socket) => sniff(socket, options.firstByteTimeoutMs, hand));
  server.maxConnections = options.maxConnections;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    // With TLS the socket that is handed on is another one, around this; a handshake under way ends by its own timeout.
    if (options.tls === undefined) silent.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      silent.delete(socket);
    });
  });
  await bind(server, options);

  return {
    url: formatUrl(server.address() as AddressInfo, options.tls !== undefined),
    close: async (drainTimeoutMs) => {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of silent) socket.destroy();
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, drainTimeoutMs);
      await closed;
      clearTimeout(cut);
      http1.close(); // stops the checks of timeouts
    },
  };
}

type Hand = (socket: Socket, isHttp2: boolean) => void;

/** Reads until the first bytes are, or cannot become, the HTTP/2 preface; puts them back and hands the socket on. */
function sniff(socket: Socket, firstByteTimeoutMs: number, hand: Hand): void {
  const timer = setTimeout(() => socket.destroy(), firstByteTimeoutMs);
  const stop = () => {
    clearTimeout(timer);
    socket.off("readable", onReadable).off("close", stop).off("error", onError);
  };
  // The connection is gone before it said anything; "close" follows.
  const onError = () => undefined;
  let seen: Buffer = Buffer.alloc(0);
  const onReadable = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) seen = Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, HTTP2_PREFACE.length);
    const isPreface = seen.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
    if (isPreface && length < HTTP2_PREFACE.length) return;
    stop();
    socket.unshift(seen);
    hand(socket, isPreface);
  };
  socket.on("readable", onReadable).on("close", stop).on("error", onError);
}

function createTlsListener(tls: TlsFiles, handshakeTimeout: number, hand: Hand): Server {
  const mutual = tls.clientCaFile !== undefined && { ca: readFileSync(tls.clientCaFile), requestCert: true };
  const server = createTlsServer({
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
    ...mutual,
    handshakeTimeout,
    ALPNProtocols: [ALPN_HTTP2, ALPN_HTTP1],
  });
  // A handshake that failed or took too long; the server leaves its socket open.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("secureConnection", (socket) => hand(socket, socket.alpnProtocol === ALPN_HTTP2));
  return server;
}

function bind(server: Server, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function formatUrl({ address, family, port }: AddressInfo, isTls: boolean): string {
  const host = family === "IPv6" ? `[${address}]` : address;
  return `${isTls ? "https" : "http"}://${host}:${port}`;
}
