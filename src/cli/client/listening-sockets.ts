/** Who listens on a TCP port of this machine, as Linux says in /proc/net/tcp and tcp6 (proc_pid_net(5)). */
import { readFile } from "node:fs/promises";
import { isIPv6, SocketAddress } from "node:net";
import { endianness } from "node:os";

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];
/** TCP_LISTEN, in the column `st`. */
const LISTEN = "0A";
const HEX = 16;
const MAPPED = "::ffff:";

export interface ListeningSocket {
  /** IPv4 or IPv6, in its canonical form. */
  readonly address: string;
  readonly port: number;
  readonly uid: number;
}

/**
 * The users that listen where a connection to this address arrives: at it, or at every address. Empty when that cannot be
 * known: the system has no such tables, or whoever listens is in none of them.
 */
export async function readListenerUids(address: string, port: number): Promise<readonly number[]> {
  const tables = (await Promise.all(TABLES.map(readTable))).filter((table) => table !== undefined);
  // One that cannot be read may hold somebody else.
  if (tables.length < TABLES.length) return [];
  const places = listenedAddresses(address);
  return tables
    .flatMap(parseListeningSockets)
    .filter((socket) => socket.port === port && places.has(socket.address))
    .map(({ uid }) => uid);
}

/** Empty where it is not there, as without IPv6; `undefined` when it cannot be read. */
async function readTable(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : undefined;
  }
}

/**
 * The sockets of a table that listen. A line is `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid ...`
 * with the address in hexadecimal, each four bytes of it as a number of the machine's byte order, and the port as one of its own.
 */
export function parseListeningSockets(table: string): ListeningSocket[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , uid = ""] = line.trim().split(/\s+/);
    const [, address = "", port = ""] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local) ?? [];
    if (state !== LISTEN || address === "" || !/^\d+$/.test(uid)) return [];
    return [{ address: addressFromHex(address), port: Number.parseInt(port, HEX), uid: Number(uid) }];
  });
}

/** Where a listener takes connections to an address. An IPv6 socket may take those of IPv4 too. */
function listenedAddresses(address: string): ReadonlySet<string> {
  const [bare = ""] = address.split("%");
  const plain = bare.startsWith(MAPPED) ? bare.slice(MAPPED.length) : bare;
  if (isIPv6(plain)) return new Set([plain, "::"]);
  return new Set([plain, "0.0.0.0", "::", `${MAPPED}${plain}`, `${MAPPED}0.0.0.0`]);
}

function addressFromHex(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  if (endianness() === "LE") bytes.swap32();
  if (bytes.length === 4) return bytes.join(".");
  const groups = bytes.toString("hex").match(/.{4}/g) ?? [];
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}
