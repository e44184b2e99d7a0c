import type { HttpsOptions } from "./fetch-jwks.js";
import { configuredJwksLocation, generatedJwksLocation, type HiddenUrl, type JwksLocation } from "./jwks-location.js";
import { createSigningKeySet, haveSameContent, type SigningKeyList, type SigningKeySet } from "./signing-key-set.js";

export type { SigningKeySet } from "./signing-key-set.js";

/** How often the sets are read again. */
export const SIGNING_KEYS_REFRESH_INTERVAL_MS = 300_000;

export interface SigningKeySourceOptions {
  /** Of JWK Sets. `undefined`: the generated set. */
  readonly urls: readonly HiddenUrl[] | undefined;
  /** Path of the generated set, which is there already; needed when there are no URLs. */
  readonly generatedFile: string | undefined;
  /** `kid` of the key to sign with. `undefined`: the sets decide. */
  readonly signingKeyId: string | undefined;
  /** 5 minutes when absent. */
  readonly refreshIntervalMs?: number;
  /** Told of every set that could not be read again, and of sets that do not go together. Its argument holds no secret. */
  readonly onError: (error: unknown) => void;
  /** Told when `current()` has become another set. */
  readonly onChange?: () => void;
  /** For sets that are fetched. */
  readonly https?: HttpsOptions;
  /** Milliseconds of Unix time; the system's when absent. */
  readonly clock?: () => number;
}

/** The keys of derived tokens, kept up to date. */
export interface SigningKeySource {
  /** The last good set, as it is at the moment. */
  current(): SigningKeySet;
  /** Reads every set again now, or joins that when it is under way. Failures go to `onError`. */
  refresh(): Promise<void>;
  /**
   * Reads every set as it is now, and takes none yet: that is what the function does, which is to be called at once.
   * @throws SigningKeysError, DataDirectoryError when one cannot be read, or when they do not go together
   */
  readAnew(): Promise<() => void>;
  close(): void;
}

/**
 * Reads the signing keys, and reads them again every five minutes. A set that fails then stays as it was, each by itself,
 * so that a key that was taken out of one set is gone also while another set cannot be had. All stays as it was when the
 * sets do not go together.
 * @throws SigningKeysError, DataDirectoryError that names the set at fault
 */
export async function openSigningKeySource(options: SigningKeySourceOptions): Promise<SigningKeySource> {
  const { signingKeyId, onError, onChange, refreshIntervalMs = SIGNING_KEYS_REFRESH_INTERVAL_MS } = options;
  const { clock = Date.now } = options;
  const locations = locationsOf(options);
  const closed = new AbortController();
  let lists = await loadAll(locations, closed);
  let set = createSigningKeySet(lists, signingKeyId, clock());
  let { untilMs } = set;

  let underWay: Promise<void> | undefined;
  /** How often `readAnew` was taken: what a refresh began to read before that is old. */
  let taken = 0;
  const refresh = () => {
    underWay ??= readAgain().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
  const timer = setInterval(() => void refresh(), refreshIntervalMs);
  timer.unref();

  return {
    current: () => {
      if (clock() >= untilMs) replaceBy(createSigningKeySet(lists, signingKeyId, clock()));
      return set;
    },
    refresh,
    readAnew: async () => {
      const next = await loadEvery(lists, closed.signal);
      const nextSet = createSigningKeySet(next, signingKeyId, clock());
      return () => {
        taken += 1;
        lists = next;
        replaceBy(nextSet);
      };
    },
    close: () => {
      clearInterval(timer);
      closed.abort();
    },
  };

  async function readAgain(): Promise<void> {
    const takenBefore = taken;
    const results = await Promise.allSettled(lists.map(({ load }) => load(closed.signal)));
    if (closed.signal.aborted || taken > takenBefore) return;
    const next = lists.map((list, index) => {
      const result = results[index];
      if (result?.status === "fulfilled") return { ...list, keys: result.value };
      onError(result?.reason);
      return list;
    });
    let nextSet: SigningKeySet;
    try {
      nextSet = createSigningKeySet(next, signingKeyId, clock());
    } catch (error) {
      onError(error);
      return;
    }
    lists = next;
    replaceBy(nextSet);
  }

  function replaceBy(nextSet: SigningKeySet): void {
    untilMs = nextSet.untilMs;
    if (haveSameContent(set, nextSet)) return;
    set = nextSet;
    onChange?.();
  }
}

type LoadedLocation = JwksLocation & SigningKeyList;

/** Every set, or the failure of one; what is still being fetched then is given up. */
async function loadAll(locations: readonly JwksLocation[], closed: AbortController): Promise<LoadedLocation[]> {
  try {
    return await loadEvery(locations, closed.signal);
  } catch (error) {
    closed.abort();
    throw error;
  }
}

function loadEvery(locations: readonly JwksLocation[], signal: AbortSignal): Promise<LoadedLocation[]> {
  return Promise.all(locations.map(async (location) => ({ ...location, keys: await location.load(signal) })));
}

function locationsOf({ urls, generatedFile, https }: SigningKeySourceOptions): readonly JwksLocation[] {
  if (urls !== undefined) return urls.map((url, index) => configuredJwksLocation(url, index, https));
  if (generatedFile === undefined) throw new TypeError("there are neither URLs nor a generated file");
  return [generatedJwksLocation(generatedFile)];
}
