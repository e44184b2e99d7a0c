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

  const allowed = allowedAddresses(cidrs);
  const isIPv4Address = family === 4 || isMapped(address);
  return (isIPv4Address ? allowed.ipv4 : allowed.ipv6).check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Each version has a list of its own: `::/0` is every IPv6 address, and no IPv4 one. */
interface AllowedAddresses {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

/** Made once for a list, which does not change: that of a record, or of a token. */
const madeLists = new WeakMap<readonly string[], AllowedAddresses>();

function allowedAddresses(cidrs: readonly string[]): AllowedAddresses {
  const made = madeLists.get(cidrs);
  if (made !== undefined) return made;
  const allowed = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const network = parseCidr(cidr);
    if (network === undefined) continue;
    const { address, prefixLength, family } = network;
    const isIPv4Network = family === "ipv4" || (prefixLength >= MAPPED_PREFIX_LENGTH && isMapped(address));
    (isIPv4Network ? allowed.ipv4 : allowed.ipv6).addSubnet(address, prefixLength, family);
  }
  madeLists.set(cidrs, allowed);
  return allowed;
}

const MAPPED_PREFIX_LENGTH = 96;
const MAPPED = new BlockList();
MAPPED.addSubnet("::ffff:0:0", MAPPED_PREFIX_LENGTH, "ipv6");

/** Whether an IPv6 address maps an IPv4 one (RFC 4291 section 2.5.5.2). */
function isMapped(address: string): boolean {
  return isIP(address) === 6 && MAPPED.check(address, "ipv6");
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
