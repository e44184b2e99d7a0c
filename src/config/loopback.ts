import { BlockList, isIP } from "node:net";

const LOOPBACK_V4_BITS = 8;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", LOOPBACK_V4_BITS, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine can reach the address: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === "localhost";
  return loopback.check(host, version === 4 ? "ipv4" : "ipv6");
}
