/**
 * Where a call comes from. Behind proxies the connection tells the last of them only, and a header tells the rest; but a
 * header says what its sender likes, so it is read only when a trusted proxy sent it, and only as far as trusted proxies
 * wrote it.
 */
import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIP, SocketAddress } from "node:net";

export type ClientAddressSource =
  | "remote_addr"
  | "x_forwarded_for"
  | "x_real_ip"
  | "cf_connecting_ip"
  | "true_client_ip";

export interface ClientAddressOptions {
  readonly source: ClientAddressSource;
  /** IP addresses, and networks in CIDR notation. */
  readonly trustedProxies: readonly string[];
}

/**
 * The address of a call's client: IPv4, or IPv6 in the form of RFC 5952 and without a zone; an IPv4-mapped address as the
 * IPv4 address. `undefined` when it cannot be told, which no rule about addresses may take for an allowed one.
 */
export type ReadClientAddress = (headers: IncomingHttpHeaders, peerAddress: string | undefined) => string | undefined;

const FORWARDED_FOR = "x-forwarded-for";
const SINGLE_ADDRESS_HEADERS = {
  x_real_ip: "x-real-ip",
  cf_connecting_ip: "cf-connecting-ip",
  true_client_ip: "true-client-ip",
} as const;

const NETWORK = /^([^/]*)(?:\/([0-9]+))?$/;
const IPV4_MAPPED = /^::ffff:([0-9.]+)$/;
const ZONE = /%.*$/s;
/** `1.2.3.4:80`, as some load balancers write it. */
const IPV4_WITH_PORT = /^([0-9.]+):[0-9]{1,5}$/;
/** `[::1]`, `[::1]:80`. */
const BRACKETED = /^\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?$/;

/**
 * A reader for `source`. A header counts when the peer is a trusted proxy; the client of any other peer is the peer itself,
 * whatever its headers say. Throws when a trusted proxy is no address and no network.
 */
export function createClientAddressReader({ source, trustedProxies }: ClientAddressOptions): ReadClientAddress {
  if (source === "remote_addr") return (_headers, peerAddress) => parsePeerAddress(peerAddress);
  const isTrusted = createTrustCheck(trustedProxies);
  const readHeader =
    source === "x_forwarded_for"
      ? (headers: IncomingHttpHeaders) => walkForwardedFor(headers[FORWARDED_FOR], isTrusted)
      : (headers: IncomingHttpHeaders) => parseAddress(onlyValue(headers[SINGLE_ADDRESS_HEADERS[source]]));
  return (headers, peerAddress) => {
    const peer = parsePeerAddress(peerAddress);
    return peer === undefined || !isTrusted(peer) ? peer : readHeader(headers);
  };
}

type TrustCheck = (address: string) => boolean;

/** One list for each version: in a common one, a short IPv6 network such as `::/64` would hold all of IPv4. */
function createTrustCheck(trustedProxies: readonly string[]): TrustCheck {
  const ipv4 = new BlockList();
  const ipv6 = new BlockList();
  for (const proxy of trustedProxies) {
    const [, address = "", length] = NETWORK.exec(proxy) ?? [];
    const [list, family] = isIP(address) === 4 ? ([ipv4, "ipv4"] as const) : ([ipv6, "ipv6"] as const);
    if (length === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(length), family);
  }
  return (address) => (isIP(address) === 4 ? ipv4.check(address, "ipv4") : ipv6.check(address, "ipv6"));
}

/**
 * Each proxy appends the address that it was called from, so the list is to be believed from the right, as long as it
 * names trusted proxies. The first other address is the client; further left anybody may have written anything. When all
 * are trusted, the call began at the leftmost. What is no address ends the walk without an answer.
 */
function walkForwardedFor(header: string | string[] | undefined, isTrusted: TrustCheck): string | undefined {
  if (header === undefined) return undefined;
  let address: string | undefined;
  for (const entry of String(header).split(",").reverse()) {
    address = parseAddress(withoutPort(entry.trim()));
    if (address === undefined || !isTrusted(address)) return address;
  }
  return address;
}

/** Several lines, or a list in one, are not one value: a client may have sent the other one. */
function onlyValue(header: string | string[] | undefined): string {
  if (typeof header === "string") return header.trim();
  return header?.length === 1 ? String(header[0]).trim() : "";
}

function withoutPort(entry: string): string {
  const [, address = entry] = IPV4_WITH_PORT.exec(entry) ?? BRACKETED.exec(entry) ?? [];
  return address;
}

/** A link-local peer has the zone of this machine's interface, which means nothing elsewhere. */
function parsePeerAddress(peerAddress: string | undefined): string | undefined {
  return peerAddress === undefined ? undefined : parseAddress(peerAddress.replace(ZONE, ""));
}

function parseAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version === 4) return text;
  if (version === 0 || text.includes("%")) return undefined;
  const { address } = new SocketAddress({ address: text, family: "ipv6" });
  return IPV4_MAPPED.exec(address)?.[1] ?? address;
}
