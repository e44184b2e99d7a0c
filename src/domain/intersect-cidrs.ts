import { isIP, isIPv6 } from "node:net";
import { isCidr } from "./ip-allowlist.js";

/** The addresses from `first` to `last`, as numbers of 128 bits: an IPv4 address is the IPv6 address that maps it. */
interface Network {
  /** Of IPv4 addresses. No IPv6 network holds them, however large it is. */
  readonly isIPv4: boolean;
  readonly first: bigint;
  readonly last: bigint;
  /** Of 128 bits. */
  readonly prefixLength: number;
}

const ADDRESS_BITS = 128;
const IPV4_PREFIX_LENGTH = 96;
const IPV4_MAPPED = 0xffffn << 32n;
const IPV4_MASK = 0xffff_ffffn;
const GROUPS = 8;
const GROUP_BITS = 16n;

/**
 * The networks that hold the addresses which are in a network of every list, as `isAddressAllowed` understands networks:
 * IPv4-mapped IPv6 networks count as IPv4 ones, and a malformed network holds no address. But a list without networks holds no
 * address either, and neither does the answer when it is empty.
 *
 * The networks come in order and in canonical form (host bits cleared, RFC 5952), none of them inside another.
 */
export function intersectCidrs(...lists: readonly (readonly string[])[]): string[] {
  const [first, ...others] = lists.map(disjointNetworks);
  return others.reduce(intersect, first ?? []).map(formatNetwork);
}

/** What two lists in order have in common, in order. One pass finds every pair: two networks are nested or disjoint. */
function intersect(left: readonly Network[], right: readonly Network[]): Network[] {
  const common: Network[] = [];
  for (let i = 0, j = 0; ; ) {
    const [x, y] = [left[i], right[j]];
    if (x === undefined || y === undefined) return common;
    if (contains(x, y)) common.push(y);
    else if (contains(y, x)) common.push(x);
    if (endsBefore(x, y)) i++;
    else j++;
  }
}

/** The networks of a list in order, without those inside another. */
function disjointNetworks(cidrs: readonly string[]): Network[] {
  const networks = cidrs.filter(isCidr).map(parseNetwork).sort(compareNetworks);
  const disjoint: Network[] = [];
  for (const network of networks) {
    const previous = disjoint.at(-1);
    if (previous === undefined || !contains(previous, network)) disjoint.push(network);
  }
  return disjoint;
}

/** Which of two networks of two lists in order can have nothing more in common with the other list. */
function endsBefore(x: Network, y: Network): boolean {
  return x.isIPv4 === y.isIPv4 ? x.last <= y.last : x.isIPv4;
}

function compareNetworks(a: Network, b: Network): number {
  if (a.isIPv4 !== b.isIPv4) return a.isIPv4 ? -1 : 1;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.prefixLength - b.prefixLength; // the larger network first
}

function contains(outer: Network, inner: Network): boolean {
  return outer.isIPv4 === inner.isIPv4 && outer.first <= inner.first && inner.last <= outer.last;
}

function parseNetwork(cidr: string): Network {
  const slash = cidr.indexOf("/");
  const address = cidr.slice(0, slash);
  const prefixLength = Number(cidr.slice(slash + 1)) + (isIP(address) === 4 ? IPV4_PREFIX_LENGTH : 0);
  const hostBits = BigInt(ADDRESS_BITS - prefixLength);
  const first = (parseAddress(address) >> hostBits) << hostBits;
  const isIPv4 = prefixLength >= IPV4_PREFIX_LENGTH && (first & ~IPV4_MASK) === IPV4_MAPPED;
  return { isIPv4, first, last: first + (1n << hostBits) - 1n, prefixLength };
}

function parseAddress(address: string): bigint {
  if (!isIPv6(address)) return IPV4_MAPPED | joinNumbers(address.split(".").map(Number), 8n);
  // A dotted tail is two groups; "::" is as many zeros as are missing.
  const plain = address.replace(/[0-9]+(?:\.[0-9]+){3}$/, (tail) => {
    const number = joinNumbers(tail.split(".").map(Number), 8n);
    return `${(number >> GROUP_BITS).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [head = [], tail = []] = plain.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const zeros = Array<string>(GROUPS - head.length - tail.length).fill("0");
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
  return joinNumbers(groups, GROUP_BITS);
}

function joinNumbers(numbers: readonly number[], bits: bigint): bigint {
  return numbers.reduce((sum, number) => (sum << bits) | BigInt(number), 0n);
}

function formatNetwork({ isIPv4, first, prefixLength }: Network): string {
  return isIPv4
    ? `${formatIPv4(first & IPV4_MASK)}/${prefixLength - IPV4_PREFIX_LENGTH}`
    : `${formatIPv6(first)}/${prefixLength}`;
}

function formatIPv4(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join(".");
}

/** RFC 5952 section 4: lower case, no leading zeros, the first of the longest runs of two zero groups or more as "::". */
function formatIPv6(address: bigint): string {
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    ((address >> (BigInt(GROUPS - 1 - index) * GROUP_BITS)) & 0xffffn).toString(16),
  ).join(":");
  const runs = groups.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  return longest === "" ? groups : groups.replace(new RegExp(`(?:^|:)${longest}(?::|$)`), "::");
}
