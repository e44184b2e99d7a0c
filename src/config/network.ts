import { isIP, SocketAddress } from "node:net";

const CIDR = /^([0-9a-fA-F:.]+)(?:\/([1-9][0-9]{0,2}))?$/;
const IPV4_MAPPED = /^::ffff:[0-9.]+$/;
const IPV4_BITS = 32;
const IPV6_BITS = 128;

/**
 * Whether `text` is an IP address or a network in CIDR notation (RFC 4632, RFC 4291 section 2.3). Host bits may be set.
 * Refused are a zone, the length 0, which means everybody, and an IPv4 address in the clothes of IPv6 (`::ffff:10.0.0.1`).
 */
export function isNetwork(text: string): boolean {
  const [, address = "", length] = CIDR.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || (version === 6 && isIpv4Mapped(address))) return false;
  return length === undefined || Number(length) <= (version === 4 ? IPV4_BITS : IPV6_BITS);
}

function isIpv4Mapped(address: string): boolean {
  return IPV4_MAPPED.test(new SocketAddress({ address, family: "ipv6" }).address);
}
