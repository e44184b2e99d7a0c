import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "@bufbuild/protobuf";
import type { Outcome, SendBatch } from "../transfer/import-file.js";
import type { RequestJson } from "../transfer/import-rows.js";
import { objectsOf } from "./answer-parts.js";
import { asCallFailure, CallFailure, type Client } from "./client/client.js";

const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 250;
/** Failures that an answer names when nothing of a batch was imported. */
const NAMED_FAILURES = 20;

/** Of a batch in which nothing was imported, which cannot be read, or which is too large. */
const REFUSED: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "API_KEY_EXISTS", "PAYLOAD_TOO_LARGE"]);

/** The request of a batch that a field at fault belongs to, and the field in it, if it is not all of it. */
const FIELD = /^requests\[(\d+)\](?:\.(.+))?$/s;

/**
 * Imports batches by a client. A service that cannot be reached is asked again a few times, which is safe with the request ids.
 * Rejects with a CallFailure when it cannot for long, or refuses the caller.
 */
export function createImportSender(client: Client): SendBatch {
  const send: SendBatch = async (requests) => {
    const answer = await callUntilReached(client, requests);
    if (!(answer instanceof CallFailure)) return outcomesOf(answer);
    if (!REFUSED.has(answer.reason)) throw answer;
    if (requests.length === 1) return [problemOf(answer)];
    const named = namedProblems(answer, requests.length);
    const others = requests.filter((_, index) => !named.has(index));
    const outcomes = (await sendParts(others, partSize(answer, others.length, named.size))).values();
    return requests.map((_, index) => (named.has(index) ? named.get(index) : outcomes.next().value));
  };
  const sendParts = async (requests: readonly RequestJson[], size: number): Promise<readonly Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (let start = 0; start < requests.length; start += size) {
      outcomes.push(...(await send(requests.slice(start, start + size))));
    }
    return outcomes;
  };
  return send;
}

/** The answer, or why the service refused to give one. */
async function callUntilReached(client: Client, requests: readonly RequestJson[]): Promise<JsonObject | CallFailure> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await client.call("adminBatchImportApiKeys", { requests: requests as JsonObject[] });
    } catch (error) {
      const failure = asCallFailure(error);
      if (failure === undefined) throw error;
      if (!failure.isUnreachable) return failure;
      if (tries === MAX_TRIES) throw failure;
    }
    await delay(FIRST_PAUSE_MS * 2 ** (tries - 1));
  }
}

function outcomesOf(answer: JsonObject): readonly Outcome[] {
  return objectsOf(answer, "results").map(({ imported_api_key: key, error_message: message }) =>
    key === undefined || key === null ? String(message ?? "") : undefined,
  );
}

/** Of one request that was sent alone: without the name of the batch's field. */
function problemOf({ fields, message }: CallFailure): string {
  const problems = fields.map(({ field, description }) => textOf(FIELD.exec(field)?.[2], description));
  return problems.length === 0 ? message : problems.join("; ");
}

/** What is wrong with those of so many requests whose fields are named, by their index. */
function namedProblems({ fields }: CallFailure, requests: number): Map<number, string> {
  const problems = new Map<number, string>();
  for (const { field, description } of fields) {
    const [, index, inner] = FIELD.exec(field) ?? [];
    if (index === undefined || Number(index) >= requests) continue;
    const before = problems.get(Number(index));
    problems.set(Number(index), [...(before === undefined ? [] : [before]), textOf(inner, description)].join("; "));
  }
  return problems;
}

function textOf(field: string | undefined, description: string): string {
  return field === undefined ? description : `${field}: ${description}`;
}

/**
 * In what parts the requests are sent again that a refusal did not name: at once when those that it named kept it from being
 * read; when every request was refused by itself, in parts so small that each is named; else, being too large, in halves.
 */
function partSize({ fields }: CallFailure, others: number, named: number): number {
  if (named === 0) return Math.ceil(others / 2);
  const isEachRefused = fields.every(({ field }) => FIELD.exec(field)?.[2] === undefined);
  return isEachRefused ? NAMED_FAILURES : others;
}
