import type { Contestant } from "../rounds.js";
import type { Service } from "../service.js";
import { measureGet } from "./get.js";

const ISSUED_KEYS = "/v2alpha1/admin/issuedApiKeys";
const CALL_TIMEOUT_MS = 10_000;

/** Of every page, in keys; each of them has to be full. */
export const PAGE_SIZE = 50;

export interface PageLoad {
  readonly name: string;
  /** AIP-160; absent: every issued key. */
  readonly filter?: string;
  /** Which page, from 1 (the default). */
  readonly page?: number;
}

interface KeysPage {
  readonly issued_api_keys: readonly unknown[];
  readonly next_page_token: string;
}

/**
 * One page of a list over REST, again and again. Gets there once, page by page, as a client does. Throws when a page is not
 * full: it is looked at once before each round, and the load looks at the status.
 */
export async function pageContestant(
  service: Service,
  { name, filter, page = 1 }: PageLoad,
): Promise<Required<Contestant>> {
  const query = new URLSearchParams({ page_size: String(PAGE_SIZE) });
  if (filter !== undefined) query.set("filter", filter);
  for (let at = 1; at < page; at += 1) {
    const { next_page_token: token } = await getFullPage(service, query);
    if (token === "") throw new Error(`${name}: the list ends with page ${at}`);
    query.set("page_token", token);
  }
  const { authorization, process: server } = service;
  return {
    name,
    server,
    prepare: async () => void (await getFullPage(service, query)),
    measure: (seconds) => measureGet({ url: pageUrl(service, query), authorization }, seconds),
  };
}

async function getFullPage(service: Service, query: URLSearchParams): Promise<KeysPage> {
  const { authorization } = service;
  const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const answer = await fetch(pageUrl(service, query), { headers: { authorization }, signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`a list answered ${answer.status}: ${text}`);
  const page: KeysPage = JSON.parse(text);
  const { length } = page.issued_api_keys;
  if (length !== PAGE_SIZE) throw new Error(`a page of ${query} has ${length} keys instead of ${PAGE_SIZE}`);
  return page;
}

function pageUrl({ url }: Service, query: URLSearchParams): string {
  return `${url}${ISSUED_KEYS}?${query}`;
}
