import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { intersectCidrs } from "../../src/domain/intersect-cidrs.js";
import { isAddressAllowed } from "../../src/domain/ip-allowlist.js";

describe("the intersection", () => {
  test.each<[string, string[], string[], string[]]>([
    ["of a network and a part of it", ["10.0.0.0/8"], ["10.1.0.0/16"], ["10.1.0.0/16"]],
    ["of a network and itself", ["10.0.0.0/8"], ["10.0.0.0/8"], ["10.0.0.0/8"]],
    ["of disjoint networks", ["10.0.0.0/8"], ["192.0.2.0/24"], []],
    ["of neighbours", ["10.0.0.0/9"], ["10.128.0.0/9"], []],
    ["of no networks", [], [], []],
    ["with no networks", ["10.0.0.0/8"], [], []],
    [
      "of several networks",
      ["192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32"],
      ["2001:db8:1::/48", "10.2.0.0/16", "10.1.0.0/16", "198.51.100.1/32"],
      ["10.1.0.0/16", "10.2.0.0/16", "2001:db8:1::/48"],
    ],
    ["without networks in others", ["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"], ["0.0.0.0/0"], ["10.0.0.0/8"]],
    ["without host bits", ["10.1.2.3/8"], ["10.9.9.9/16"], ["10.9.0.0/16"]],
    ["of IPv4 and IPv6", ["10.0.0.0/8"], ["2001:db8::/32"], []],
    ["of IPv4 and IPv4-mapped IPv6", ["10.0.0.0/8"], ["::ffff:10.1.0.0/112"], ["10.1.0.0/16"]],
    ["of IPv4-mapped IPv6, in hexadecimal", ["::ffff:0a01:0/112"], ["::FFFF:10.0.0.0/104"], ["10.1.0.0/16"]],
    ["of IPv4 and all of IPv6", ["10.0.0.0/8"], ["::/0"], []],
    ["of all of IPv4 and all of IPv6", ["0.0.0.0/0"], ["::/0"], []],
    ["of all of IPv6", ["::/0"], ["1::/0"], ["::/0"]],
    ["just larger than IPv4", ["::ffff:0:0/95"], ["::/0"], ["::fffe:0:0/95"]],
    ["of single addresses", ["10.0.0.1/32", "::1/128"], ["::/64", "10.0.0.0/31"], ["10.0.0.1/32", "::1/128"]],
    ["with malformed networks", ["10.0.0.1", "10.0.0.0/33", "x/8", "", "10.0.0.0/8"], ["0.0.0.0/0"], ["10.0.0.0/8"]],
    ["of malformed networks", ["10.0.0.1", "fe80::%1/64"], ["10.0.0.1", "fe80::%1/64"], []],
  ])("%s", (_, a, b, common) => {
    expect(intersectCidrs(a, b)).toEqual(common);
    expect(intersectCidrs(b, a)).toEqual(common);
  });

  test.each([
    ["2001:0DB8:0:0:0:0:0:1/128", "2001:db8::1/128"],
    ["2001:db8:0:1:1:1:1:1/128", "2001:db8:0:1:1:1:1:1/128"],
    ["2001:0:0:1:0:0:0:1/128", "2001:0:0:1::1/128"],
    ["2001:db8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128"],
    ["1:0:0:0:0:0:0:0/128", "1::/128"],
    ["0:0:0:0:0:0:0:1/128", "::1/128"],
    ["10:0:0:1:0:0:0:100/128", "10:0:0:1::100/128"],
    ["1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/128"],
    ["1:2:3:4:5:6:10.0.0.1/128", "1:2:3:4:5:6:a00:1/128"],
    ["::10.0.0.1/128", "::a00:1/128"],
    ["64:ff9b::192.0.2.33/96", "64:ff9b::/96"],
    ["::ffff:192.0.2.33/128", "192.0.2.33/32"],
    ["::/128", "::/128"],
  ])("says %s as %s", (cidr, canonical) => {
    expect(intersectCidrs([cidr], [cidr])).toEqual([canonical]);
  });
});

const STARTS = [0n, 0xffffn << 32n, (0xffffn << 32n) | (10n << 24n), 0x2001_0db8n << 96n, 2n ** 128n - 16n];
/** Addresses near to each other, so that networks often overlap. */
const anyAddress = fc
  .tuple(fc.constantFrom(...STARTS), fc.integer({ min: 0, max: 127 }), fc.nat(7))
  .map(([start, shift, bits]) => (start ^ (BigInt(bits) << BigInt(shift))) & (2n ** 128n - 1n));

function isMapped(address: bigint): boolean {
  return address >> 32n === 0xffffn;
}

function groupsOf(address: bigint, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    ((address >> BigInt(16 * (7 - index))) & 0xffffn).toString(16).padStart(4, "0"),
  );
}

function dotted(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join(".");
}

/** Every way of writing an address. */
const spelledAddress = fc.tuple(anyAddress, fc.nat(2)).map(([address, spelling]) => {
  if (spelling === 0 && isMapped(address)) return { text: dotted(address), bits: 32 };
  if (spelling === 1) return { text: [...groupsOf(address, 6), dotted(address)].join(":"), bits: 128 };
  return { text: groupsOf(address, 8).join(":"), bits: 128 };
});
const anyCidr = fc.oneof(
  fc.tuple(spelledAddress, fc.nat(128)).map(([{ text, bits }, length]) => `${text}/${Math.min(length, bits)}`),
  fc.constantFrom("10.0.0.1", "::1", "0.0.0.0/33", "none"),
);
const anyList = fc.array(anyCidr, { minLength: 1, maxLength: 6 });

/** As a list without networks holds no address here, but every address for `isAddressAllowed`. */
function holds(cidrs: readonly string[], address: string): boolean {
  return cidrs.length > 0 && isAddressAllowed(cidrs, address);
}

test("an address is in the intersection exactly when it is allowed by both lists", () => {
  const seen = { inside: 0, outside: 0 };
  fc.assert(
    fc.property(anyList, anyList, fc.array(spelledAddress, { maxLength: 6 }), (a, b, addresses) => {
      const common = intersectCidrs(a, b);
      const edges = [...a, ...b, ...common].map((cidr) => cidr.replace(/\/.*$/, ""));
      for (const address of [...addresses.map(({ text }) => text), ...edges]) {
        const isInBoth = isAddressAllowed(a, address) && isAddressAllowed(b, address);
        expect([address, holds(common, address)]).toEqual([address, isInBoth]);
        seen[isInBoth ? "inside" : "outside"]++;
      }
    }),
    { seed: 1, numRuns: 2_000 },
  );
  expect(Math.min(seen.inside, seen.outside)).toBeGreaterThan(1_000);
});

test("the intersection is the same again: in order, without networks in others, one text for each", () => {
  fc.assert(
    fc.property(anyList, anyList, (a, b) => {
      const common = intersectCidrs(a, b);
      expect(intersectCidrs(b, a)).toEqual(common);
      expect(intersectCidrs([...common].reverse(), common)).toEqual(common);
      expect(intersectCidrs(common, a)).toEqual(common);
      expect(new Set(common).size).toBe(common.length);
      for (const network of common) {
        const others = common.filter((other) => other !== network);
        expect(intersectCidrs([network], others)).toEqual([]);
      }
    }),
    { seed: 1, numRuns: 1_000 },
  );
});
