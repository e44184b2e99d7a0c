/** REST by what Node has: fetch (HTTP/1.1) and node:http2. */
import { connect } from "node:http2";
import { findUndocumented } from "../../docs/openapi-document.js";
import { type Answer, type ApiClient, bearer, type FieldFault, type JsonObject, type Refusal } from "./api-client.js";
import { REST_ROUTES, REST_STATUSES } from "./rest-routes.js";

export interface HttpExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Send = (exchange: HttpExchange) => Promise<HttpReply>;

export function createFetchRestClient(url: string): ApiClient {
  return createRestClient(
    (exchange) => sendByFetch(url, exchange),
    () => undefined,
  );
}

export function createHttp2RestClient(url: string): ApiClient {
  const session = connect(url);
  session.unref();
  const send: Send = ({ method, target, headers, body }) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ":method": method, ":path": target, ...headers });
      let reply: HttpReply = { status: 0, headers: new Headers(), text: "" };
      const chunks: Buffer[] = [];
      stream.on("response", ({ ":status": status = 0, ...received }) => {
        const named = Object.entries(received).filter(([name]) => !name.startsWith(":"));
        reply = { ...reply, status, headers: new Headers(named.map(([name, value]) => [name, String(value)])) };
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => resolve({ ...reply, text: Buffer.concat(chunks).toString() }));
      stream.on("error", reject);
      stream.end(body);
    });
  return createRestClient(send, () => session.destroy());
}

export async function sendByFetch(url: string, { target, body, ...init }: HttpExchange): Promise<HttpReply> {
  const response = await fetch(url + target, { ...init, ...(body !== undefined && { body }) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function createRestClient(send: Send, close: () => void): ApiClient {
  return {
    close,
    async call(rpc, message, { token, headers } = {}) {
      const { status, request } = REST_ROUTES[rpc];
      const { httpMethod: method, path, query = {}, body } = request(message);
      const pairs = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]);
      const search = new URLSearchParams(pairs).toString();
      const reply = await send({
        method,
        target: search === "" ? path : `${path}?${search}`,
        headers: { ...bearer(token), ...(body && { "content-type": "application/json" }), ...headers },
        ...(body && { body: JSON.stringify(body) }),
      });
      const answer = readReply(reply, status);
      const undocumented = findUndocumented(rpc, reply.status, JSON.parse(reply.text));
      if (undocumented.length > 0) throw new Error(`not as /openapi.json says:\n${undocumented.join("\n")}`);
      return answer;
    },
  };
}

/** Throws for an answer that breaks the contract of all answers. */
export function readReply(reply: HttpReply, successStatus: number): Answer | Refusal {
  const { status, headers, text } = reply;
  if (headers.get("content-type") !== "application/json")
    throw new Error(`answer of type ${headers.get("content-type")}`);
  const json = JSON.parse(text) as JsonObject;
  if (status === successStatus) return { ok: true, response: json, headers };
  return readRefusal(reply);
}

interface Envelope {
  readonly error: {
    readonly code: number;
    readonly status: string;
    readonly message: string;
    readonly details: readonly {
      readonly "@type": string;
      readonly reason?: string;
      readonly domain?: string;
      readonly metadata?: Readonly<Record<string, string>>;
      readonly field_violations?: readonly FieldFault[];
    }[];
  };
}

/** Reads the envelope of AIP-193. */
export function readRefusal({ status, headers, text }: HttpReply): Refusal {
  const { error } = JSON.parse(text) as Envelope;
  const detail = (type: string) =>
    error.details.find((one) => one["@type"] === `type.googleapis.com/google.rpc.${type}`);
  const { reason = "", domain, metadata = {} } = detail("ErrorInfo") ?? {};
  const [expectedStatus, expectedCode] = REST_STATUSES[reason] ?? [];
  if (status !== expectedStatus || error.status !== expectedCode || error.code !== status || domain !== "latchkey") {
    throw new Error(`a refusal that does not fit together: ${status} ${text}`);
  }
  const fields = detail("BadRequest")?.field_violations ?? [];
  return { ok: false, code: error.status, reason, message: error.message, fields, metadata, headers };
}
