import { BlockList, isIP } from "node:net";

interface Network {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: "ipv4" | "ipv6";
}

const CIDR = /^([0-9a-fA-F:.]{2,45})\/(0|[1-9][0-9]{0,2})$/;
const ADDRESS_BITS = { ipv4: 32, ipv6: 128 } as const;

/** Whether `text` is a network in CIDR notation (RFC 4632, RFC 4291 section 2.3). Host bits may be set; zones are refused. */
export function isCidr(text: string): boolean {
  return parseCidr(text) !== undefined;
}

/**
 * Whether a key restricted to `cidrs` may be used from `address`. No restriction allows everything; an unknown or
 * malformed address is allowed nothing else. IPv4-mapped IPv6 addresses count as the IPv4 address they map.
 */
export function isAddressAllowed(cidrs: readonly string[] | undefined, address: string | undefined): boolean {
  if (cidrs === undefined || cidrs.length === 0) return true;
  const family = isIP(address ?? "");
  if (address === undefined || family === 0) return false;

  const allowed = new BlockList();
  for (const cidr of cidrs) {
    const network = parseCidr(cidr);
    if (network) allowed.addSubnet(network.address, network.prefixLength, network.family);
  }
  return allowed.check(address, family === 4 ? "ipv4" : "ipv6");
}

function parseCidr(text: string): Network | undefined {
  const [, address, length] = CIDR.exec(text) ?? [];
  if (address === undefined || length === undefined) return undefined;
  const version = isIP(address);
  if (version === 0) return undefined;
  const family = version === 4 ? "ipv4" : "ipv6";
  const prefixLength = Number(length);
  return prefixLength <= ADDRESS_BITS[family] ? { address, prefixLength, family } : undefined;
}
