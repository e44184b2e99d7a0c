import { isIPv6 } from "node:net";
import { BoundedMap } from "../credentials/bounded-map.js";

const MS_PER_SECOND = 1_000;
/** Addresses that are counted at a time; the one that was counted first is forgotten first. */
const MAX_ADDRESSES = 10_000;
/** Of an IPv6 address: a network of one customer, who can take any address in it. */
const IPV6_NETWORK_GROUPS = 4;
const IPV6_GROUPS = 8;

export interface FailureLimits {
  readonly windowMs: number;
  readonly perAddress: number;
  /** By everybody together. */
  readonly overall: number;
}

interface Window {
  readonly startMs: number;
  failures: number;
}

/**
 * Counts failures in windows of fixed length, for each client address and overall. It is of this process alone: several
 * processes let as many times more through.
 */
export class FailureLimiter {
  readonly #limits: FailureLimits;
  readonly #windows = new BoundedMap<string, Window>(MAX_ADDRESSES);
  #overall: Window = { startMs: 0, failures: 0 };

  constructor(limits: FailureLimits) {
    this.#limits = limits;
  }

  /** How many seconds somebody at `address` has to wait; 0: none. */
  secondsToWait(address: string | undefined, now: Date): number {
    const { perAddress, overall } = this.#limits;
    const own = this.#windows.get(networkOf(address));
    return Math.max(this.#secondsLeft(own, perAddress, now), this.#secondsLeft(this.#overall, overall, now));
  }

  count(address: string | undefined, now: Date): void {
    const network = networkOf(address);
    const own = this.#current(this.#windows.get(network), now);
    own.failures++;
    this.#windows.set(network, own);
    this.#overall = this.#current(this.#overall, now);
    this.#overall.failures++;
  }

  #secondsLeft(window: Window | undefined, limit: number, now: Date): number {
    if (window === undefined || window.failures < limit) return 0;
    const leftMs = window.startMs + this.#limits.windowMs - now.getTime();
    return leftMs > this.#limits.windowMs ? 0 : Math.max(0, Math.ceil(leftMs / MS_PER_SECOND));
  }

  /** The window that is under way: a clock that was set back begins another. */
  #current(window: Window | undefined, now: Date): Window {
    const ageMs = now.getTime() - (window?.startMs ?? 0);
    const isUnderWay = window !== undefined && ageMs >= 0 && ageMs < this.#limits.windowMs;
    return isUnderWay ? window : { startMs: now.getTime(), failures: 0 };
  }
}

/** What failures are counted for: an IPv4 address, the network of an IPv6 one. An unknown address is one like the others. */
function networkOf(address = "unknown"): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, IPV6_GROUPS - left.length - right.length)).fill("0");
  return [...left, ...zeros, ...right].slice(0, IPV6_NETWORK_GROUPS).join(":");
}
