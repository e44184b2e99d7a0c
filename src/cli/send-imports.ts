import { setTimeout as delay } from "node:timers/promises";
import type { Outcome, SendBatch } from "../transfer/import-file.js";
import type { RequestJson } from "../transfer/import-rows.js";
import { TransferError, UnreachableError } from "../transfer/transfer-error.js";

const BATCH_IMPORT = "v2alpha1/admin/importedApiKeys:batchImport";
const TIMEOUT_MS = 30_000;
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 250;
/** Failures that an answer names when nothing of a batch was imported. */
const NAMED_FAILURES = 20;

/** Statuses that may be others a moment later. */
const UNAVAILABLE = new Set([429, 499, 502, 503, 504]);
/** Of a batch in which nothing was imported, or which cannot be read. */
const REFUSED = new Set([400, 409, 413]);

export interface ServiceAddress {
  /** Such as `http://127.0.0.1:4420`. */
  readonly endpoint: string;
  /** Absent: the service asks for none. */
  readonly token: string | undefined;
}

interface Reply {
  readonly status: number;
  readonly body: ReplyBody;
}

interface ReplyBody {
  readonly results?: readonly { readonly error_message?: string; readonly imported_api_key?: unknown }[];
  readonly error?: {
    readonly message?: string;
    readonly details?: readonly { readonly field_violations?: readonly { field: string; description: string }[] }[];
  };
}

/**
 * Imports over REST. A service that cannot answer is asked again a few times, which is safe with the request ids. Throws
 * UnreachableError when it cannot for long, TransferError when it refuses the caller.
 */
export function createImportSender({ endpoint, token }: ServiceAddress): SendBatch {
  const url = new URL(BATCH_IMPORT, endpoint.endsWith("/") ? endpoint : `${endpoint}/`);
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const send = async (requests: readonly RequestJson[]): Promise<readonly Outcome[]> => {
    const { status, body } = await post(url, headers, JSON.stringify({ requests }));
    const { results, error } = body;
    if (status === 200 && results !== undefined) {
      return results.map(({ imported_api_key: key, error_message: message }) =>
        key === undefined ? (message ?? "") : undefined,
      );
    }
    const message = error?.message ?? `HTTP status ${status}`;
    if (status === 401 || status === 403) {
      throw new TransferError(`${message}: set LATCHKEY_TOKEN or --token-file to a token with the role admin`);
    }
    if (!REFUSED.has(status)) throw new TransferError(`the service at ${endpoint} answered: ${message}`);
    if (requests.length === 1) return [namedFailures(body, 1)?.[0] ?? message];
    return namedFailures(body, requests.length) ?? sendParts(requests);
  };
  /** In parts so small that an answer can name each failure, or of one request. */
  const sendParts = async (requests: readonly RequestJson[]): Promise<readonly Outcome[]> => {
    const size = requests.length > NAMED_FAILURES ? NAMED_FAILURES : 1;
    const outcomes: Outcome[] = [];
    for (let start = 0; start < requests.length; start += size) {
      outcomes.push(...(await send(requests.slice(start, start + size))));
    }
    return outcomes;
  };
  return send;
}

/** The failure of each request; `undefined` unless every one is named. */
function namedFailures({ error }: ReplyBody, requests: number): string[] | undefined {
  const violations = error?.details?.flatMap(({ field_violations: some = [] }) => some) ?? [];
  const byField = new Map(violations.map(({ field, description }) => [field, description]));
  const named = Array.from({ length: requests }, (_, index) => byField.get(`requests[${index}]`));
  return named.every((description) => description !== undefined) ? named : undefined;
}

async function post(url: URL, headers: Record<string, string>, body: string): Promise<Reply> {
  let problem = "";
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    if (tries > 1) await delay(FIRST_PAUSE_MS * 2 ** (tries - 2));
    try {
      const response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await response.text();
      if (!UNAVAILABLE.has(response.status)) return { status: response.status, body: parseBody(text) };
      problem = `HTTP status ${response.status}`;
    } catch (error) {
      const { cause, name } = error as Error & { cause?: NodeJS.ErrnoException };
      problem = cause?.code ?? name;
    }
  }
  throw new UnreachableError(
    `the service at ${url.origin} cannot be reached (${problem}): run the same command again to go on`,
  );
}

function parseBody(text: string): ReplyBody {
  try {
    return JSON.parse(text) as ReplyBody;
  } catch {
    return {};
  }
}
