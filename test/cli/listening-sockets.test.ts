import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { parseListeningSockets, readListenerUids } from "../../src/cli/client/listening-sockets.js";

const HEADING =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                    \n";

/** A line of the tables, as Linux writes them on machines whose integers begin with their least byte. */
function line(local: string, state: string, uid: number): string {
  const remote = local.replace(/[0-9A-F]/g, "0");
  const queues = "00000000:00000000 00:00000000 00000000";
  return `   0: ${local} ${remote} ${state} ${queues} ${String(uid).padStart(5)}        0 3445970 2 00000000dae7d5af 100 0 0 10 0\n`;
}

describe("a table of sockets", () => {
  test.each([
    ["0100007F:1144", "127.0.0.1", 4420],
    ["00000000:0050", "0.0.0.0", 80],
    ["0A01A8C0:FFFF", "192.168.1.10", 65_535],
    ["00000000000000000000000001000000:1144", "::1", 4420],
    ["00000000000000000000000000000000:1144", "::", 4420],
    ["0000000000000000FFFF00000100007F:1144", "::ffff:127.0.0.1", 4420],
    ["0000000000000000FFFF000000000000:1144", "::ffff:0.0.0.0", 4420],
    ["B80D0120000000000000000002000100:0001", "2001:db8::1:2", 1],
  ])("%s", (local, address, port) => {
    expect(parseListeningSockets(`${HEADING}${line(local, "0A", 1000)}`)).toEqual([{ address, port, uid: 1000 }]);
  });

  test("what does not listen is left out, and every user is there", () => {
    const table = [
      HEADING,
      line("0100007F:1144", "01", 1), // a connection
      line("0100007F:1144", "06", 2),
      line("0100007F:1144", "0A", 65_534),
      line("00000000:1144", "0A", 4_294_967_294),
    ].join("");
    expect(parseListeningSockets(table).map(({ uid }) => uid)).toEqual([65_534, 4_294_967_294]);
  });

  test.each(["", HEADING, "0: 0100007F:1144 00000000:0000 0A\n", "0: 7F:1144 0:0 0A 0:0 0:0 0 0 0 1\n", "\n \n"])(
    "%j holds none",
    (table) => {
      expect(parseListeningSockets(table)).toEqual([]);
    },
  );
});

const isLinux = process.platform === "linux";
const describeLinux = isLinux ? describe : describe.skip;

describeLinux(`this machine's sockets${isLinux ? "" : ", skipped: only Linux tells whose they are"}`, () => {
  const server = createServer();
  afterEach(async () => {
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  });

  /** Port of a server at this address. */
  async function listen(host: string): Promise<number> {
    await once(server.listen(0, host), "listening");
    return (server.address() as AddressInfo).port;
  }

  const self = process.getuid?.();

  test.each([
    ["127.0.0.1", "127.0.0.1", [self]],
    ["127.0.0.1", "::ffff:127.0.0.1", [self]],
    ["0.0.0.0", "127.0.0.1", [self]],
    ["127.0.0.2", "127.0.0.1", []],
    ["127.0.0.1", "::1", []],
    ["0.0.0.0", "::1", []],
  ])("a server at %s is asked for at %s", async (host, address, uids) => {
    const port = await listen(host);
    expect(await readListenerUids(address, port)).toEqual(uids);
  });

  test("a port of nobody", async () => {
    const port = await listen("127.0.0.1");
    server.close();
    await once(server, "close");
    expect(await readListenerUids("127.0.0.1", port)).toEqual([]);
  });
});
