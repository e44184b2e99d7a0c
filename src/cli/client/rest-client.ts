import type { JsonObject } from "@bufbuild/protobuf";
import { ApiKeysService } from "../../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import type { FieldViolation } from "../../errors.js";
import { isJsonObject } from "../../rest/decode-state.js";
import { compileHttpRequest } from "../../rest/http-request.js";
import { readHttpRules } from "../../rest/http-rules.js";
import { CALL_TIMEOUT_MS, CallFailure, type Client, isUnreachableCode, unreachable } from "./client.js";
import type { Endpoint } from "./endpoint.js";

type Json = Readonly<Record<string, unknown>>;

const READY_PATH = "/health/ready";
/** Of what stands before the service, when the service is not there or has too much to do. */
const GATEWAY_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What fetch says of ports that browsers do not call, such as 6000 (https://fetch.spec.whatwg.org/#port-blocking). */
const BAD_PORT = "bad port";
const LATE = new Error("no answer in time");

interface Reply {
  readonly status: number;
  readonly isOk: boolean;
  /** Undefined: the answer is not a JSON object. */
  readonly json: JsonObject | undefined;
}

/** Calls the service over REST, by the `google.api.http` rules of its methods. */
export function createRestClient(endpoint: Endpoint, token: string | undefined): Client {
  const base = `${endpoint.isTls ? "https" : "http"}://${endpoint.address}${endpoint.basePath}`;
  const rules = readHttpRules(ApiKeysService);
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };

  return {
    async call(rpc, request) {
      // The first rule of a method is the one of its own path; the others are for clients of other servers.
      const binding = rules.find(({ method }) => method.localName === rpc);
      if (binding === undefined) throw new Error(`${rpc} has no google.api.http rule`);
      const { httpMethod, target, body } = compileHttpRequest(binding)(request);
      const reply = await send(endpoint, `${base}${target}`, {
        method: httpMethod,
        headers: { ...authorization, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body }),
      });
      if (reply.isOk && reply.json !== undefined) return reply.json;
      throw failureFromReply(endpoint, reply);
    },

    async checkHealth() {
      const reply = await send(endpoint, `${base}${READY_PATH}`, {});
      const { status } = reply.json ?? {};
      if (typeof status === "string") return status;
      throw failureFromReply(endpoint, reply);
    },

    close: async () => {},
  };
}

async function send(endpoint: Endpoint, url: string, init: RequestInit): Promise<Reply> {
  const late = new AbortController();
  // It keeps the process alive, as AbortSignal.timeout does not: fetch may wait for nothing when a connection ends at once.
  const timer = setTimeout(() => late.abort(LATE), CALL_TIMEOUT_MS);
  try {
    // A redirection could take the token, or the credential in the body, somewhere else.
    const response = await fetch(url, { ...init, redirect: "manual", signal: late.signal });
    const text = await response.text();
    return { status: response.status, isOk: response.ok, json: parseObject(text) };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason !== BAD_PORT) throw unreachable(endpoint.text, reason);
    const instead = endpoint.isTls ? "grpcs://" : "grpc://";
    throw new CallFailure(`${endpoint.text} has a port that is not called over HTTP: use ${instead}, or another port`);
  } finally {
    clearTimeout(timer);
  }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isJsonObject(json) ? (json as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** fetch says "fetch failed", and what failed in its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as Error;
  if (error === LATE) return `no answer within ${CALL_TIMEOUT_MS / 1_000} s`;
  const { code, message } = (cause ?? error) as NodeJS.ErrnoException;
  return code ?? message;
}

/** Reads the envelope of AIP-193. What has none is no answer of the service: of a proxy, or of something else altogether. */
function failureFromReply(endpoint: Endpoint, { status, json }: Reply): CallFailure {
  const error: unknown = json?.error;
  if (!isJsonObject(error) || typeof error.message !== "string") {
    return new CallFailure(`${endpoint.text} answered with HTTP status ${status}, and not as Latchkey does`, {
      isUnreachable: GATEWAY_STATUSES.has(status),
    });
  }
  const details = objectsIn(error.details);
  const detail = (type: string) => details.find((one) => one["@type"] === `type.googleapis.com/google.rpc.${type}`);
  return new CallFailure(error.message, {
    reason: String(detail("ErrorInfo")?.reason ?? ""),
    fields: objectsIn(detail("BadRequest")?.field_violations).map(violationFromJson),
    isUnreachable: isUnreachableCode(String(error.status)),
  });
}

function objectsIn(list: unknown): readonly Json[] {
  return Array.isArray(list) ? list.filter((item: unknown): item is Json => isJsonObject(item)) : [];
}

function violationFromJson({ field, description }: Json): FieldViolation {
  return { field: String(field ?? ""), description: String(description ?? "") };
}
