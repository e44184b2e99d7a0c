/**
 * One port for both HTTP versions. In cleartext the first bytes of a connection tell (HTTP/2 with prior knowledge,
 * RFC 9113 section 3.4); with a certificate ALPN does. Either way the socket is handed to Node's own server for its
 * version; neither of those listens itself.
 */
import { readFileSync } from "node:fs";
import { createServer as createHttp1Server, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Request, Response } from "./lane.js";

const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Of one request, in either version; over HTTP/2 the pseudo-headers count as well. */
const MAX_HEADERS = 128;
/** Of one request's headers: the most that gRPC's own implementations take by default. */
const MAX_HEADER_BYTES = 16 * 1024;
/**
 * Of one HTTP/2 connection. Most are what Node does without being told, said here so that they stay. A client that goes beyond
 * is cut with GOAWAY, or, for the headers, has its stream reset with ENHANCE_YOUR_CALM. What only TLS servers of Node's own
 * have (`unknownProtocolTimeout`) does not apply: ALPN is decided before.
 */
const HTTP2_LIMITS = {
  maxHeaderListPairs: MAX_HEADERS,
  /** Megabytes of streams, header tables, unsent answers and unacknowledged frames; beyond, new streams are refused. */
  maxSessionMemory: 10,
  /** Entries in one SETTINGS frame. */
  maxSettings: 32,
  /** PINGs of ours that the client left unanswered. */
  maxOutstandingPings: 10,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  // Rapid reset: so many streams may be reset at once, and as many in a second from then on. What Node 20 and its nghttp2 do
  // anyway; newer versions of Node take the options.
  streamResetBurst: 1_000,
  streamResetRate: 33,
  settings: { maxConcurrentStreams: 256, maxHeaderListSize: MAX_HEADER_BYTES },
};
const HEADERS_TOO_LARGE = 431;
/** How often HTTP/1 connections are looked at for requests that took too long to arrive; oftener when they may take less. */
const MAX_TIMEOUT_CHECK_INTERVAL_MS = 5_000;
/**
 * How long an HTTP/1 connection may be idle. Longer than clients and proxies keep theirs (Go 90 s, most load balancers 60 s):
 * when the server closes first, it is in the way of a request that is being sent, which then fails.
 */
const IDLE_TIMEOUT_MS = 120_000;
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
  /** How long a request may take to arrive. Over HTTP/1 it is cut after twice that at the latest, and at most 5 s late. */
  readonly requestTimeoutMs: number;
  /** Takes an HTTP/2 stream, or says `false`, and it becomes a request. */
  readonly onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;
  readonly onRequest: (request: Request, response: Response) => void;
}

/** As Node calls it; its types leave out the last one. */
type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;

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

  const http2 = createHttp2Server(HTTP2_LIMITS);
  http2.on("stream", ((stream, headers, _flags, rawHeaders) => {
    if (options.onStream(stream, headers)) return;
    options.onRequest(new Http2ServerRequest(stream, headers, {}, rawHeaders), new Http2ServerResponse(stream));
  }) satisfies OnStream as () => void);
  http2.on("session", (session) => {
    closeBetweenReads(session);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    if (draining) session.close();
  });

  const http1Options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: options.requestTimeoutMs,
    headersTimeout: options.requestTimeoutMs,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(options.requestTimeoutMs, MAX_TIMEOUT_CHECK_INTERVAL_MS),
  };
  const http1 = createHttp1Server(http1Options, (request, response) => {
    // A connection that served its last request while draining is idle from then on.
    response.once("close", () => setImmediate(() => draining && http1.closeIdleConnections()));
    if (request.rawHeaders.length > 2 * MAX_HEADERS) refuseHeaders(response);
    else options.onRequest(request, response);
  });
  http1.maxHeadersCount = MAX_HEADERS + 1; // of the rest Node tells nothing, and a request is not answered without them
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

/**
 * Node closes a session in the middle of reading when its client sends GOAWAY. What follows in the same bytes, such as headers
 * and then a frame that may not stand there, then makes nghttp2 1.61 (Node 20) abort the whole process, by an assertion in
 * nghttp2_session_mem_recv2. So it waits until what is there has been read.
 */
function closeBetweenReads(session: ServerHttp2Session): void {
  const close = session.close.bind(session);
  session.close = (callback) => void setImmediate(() => close(callback));
}

/** As Node answers headers with too many bytes. */
function refuseHeaders(response: ServerResponse): void {
  response.writeHead(HEADERS_TOO_LARGE, { connection: "close" }).end();
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
  server.on("secureConnection", (socket) => {
    const isHttp2 = socket.alpnProtocol === ALPN_HTTP2;
    hand(socket, isHttp2);
    if (!isHttp2) readThroughStream(socket);
  });
  return server;
}

/**
 * Node's HTTP/1 server reads from below the stream. When answers pile up it stops; a TLS record that is there already comes
 * nevertheless, is taken for a broken request ("Parse Error: Paused", Node 20), and the connection is cut. With a listener
 * on the stream it reads there, where what comes is kept.
 */
function readThroughStream(socket: Socket): void {
  socket.on("data", () => undefined);
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
