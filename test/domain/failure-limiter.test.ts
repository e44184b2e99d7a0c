import { describe, expect, test } from "@jest/globals";
import { FailureLimiter } from "../../src/domain/failure-limiter.js";

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);
/** How many addresses are counted at a time. */
const MAX_ADDRESSES = 10_000;

const at = (ms: number) => new Date(START_MS + ms);

function createLimiter(limits: { perAddress?: number; overall?: number } = {}) {
  return new FailureLimiter({ windowMs: MINUTE_MS, perAddress: 3, overall: 1_000_000, ...limits });
}

function fail(limiter: FailureLimiter, times: number, address: string | undefined, now = at(0)): void {
  for (let time = 0; time < times; time++) limiter.count(address, now);
}

describe("failures from one address", () => {
  test("are let through until there are as many as the limit", () => {
    const limiter = createLimiter();
    expect(limiter.secondsToWait("192.0.2.1", at(0))).toBe(0);
    fail(limiter, 2, "192.0.2.1");
    expect(limiter.secondsToWait("192.0.2.1", at(0))).toBe(0);
    fail(limiter, 1, "192.0.2.1");
    expect(limiter.secondsToWait("192.0.2.1", at(0))).toBe(60);
  });

  test("make it wait until the window ends, which begins with the first of them", () => {
    const limiter = createLimiter();
    fail(limiter, 1, "192.0.2.1", at(0));
    fail(limiter, 2, "192.0.2.1", at(20_000));
    expect(limiter.secondsToWait("192.0.2.1", at(20_000))).toBe(40);
    expect(limiter.secondsToWait("192.0.2.1", at(20_001))).toBe(40);
    expect(limiter.secondsToWait("192.0.2.1", at(59_999))).toBe(1);
    expect(limiter.secondsToWait("192.0.2.1", at(60_000))).toBe(0);
  });

  test("are counted from none in the next window", () => {
    const limiter = createLimiter();
    fail(limiter, 3, "192.0.2.1", at(0));
    fail(limiter, 2, "192.0.2.1", at(60_000));
    expect(limiter.secondsToWait("192.0.2.1", at(60_000))).toBe(0);
    fail(limiter, 1, "192.0.2.1", at(70_000));
    expect(limiter.secondsToWait("192.0.2.1", at(70_000))).toBe(50);
  });

  test("do not make others wait", () => {
    const limiter = createLimiter();
    fail(limiter, 3, "192.0.2.1");
    for (const other of ["192.0.2.2", "2001:db8::1", undefined]) expect(limiter.secondsToWait(other, at(0))).toBe(0);
  });

  test("that is not known are counted for one address", () => {
    const limiter = createLimiter();
    fail(limiter, 3, undefined);
    expect(limiter.secondsToWait(undefined, at(0))).toBe(60);
    expect(limiter.secondsToWait("192.0.2.1", at(0))).toBe(0);
  });
});

describe("IPv6 addresses", () => {
  test.each([
    ["2001:db8::1", "2001:db8::2"],
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
    ["2001:db8:0:0:1::", "2001:db8::1"],
    ["::1", "::2"],
    ["::", "0:0:0:0:1:2:3:4"],
    ["1::2:3:4:5", "1:0:0:0::"],
  ])("of one /64 are counted together: %s and %s", (one, other) => {
    const limiter = createLimiter();
    fail(limiter, 3, one);
    expect(limiter.secondsToWait(other, at(0))).toBe(60);
  });

  test.each([
    ["2001:db8:1:2::1", "2001:db8:1:3::1"],
    ["2001:db8::1", "2001:db8:0:1::1"],
    ["::1", "0:0:0:1::1"],
    ["1::2:3:4:5:6", "1::3:4:5:6"],
  ])("of two are counted each by itself: %s and %s", (one, other) => {
    const limiter = createLimiter();
    fail(limiter, 3, one);
    expect(limiter.secondsToWait(other, at(0))).toBe(0);
  });
});

describe("the limit on all failures together", () => {
  test("makes everybody wait, those who never failed included, until its window ends", () => {
    const limiter = createLimiter({ overall: 5 });
    for (let host = 1; host <= 5; host++) {
      expect(limiter.secondsToWait("198.51.100.1", at(host * 1_000))).toBe(0);
      limiter.count(`192.0.2.${host}`, at(host * 1_000));
    }
    expect(limiter.secondsToWait("198.51.100.1", at(5_000))).toBe(56);
    expect(limiter.secondsToWait(undefined, at(60_999))).toBe(1);
    expect(limiter.secondsToWait("198.51.100.1", at(61_000))).toBe(0);
    limiter.count("198.51.100.1", at(61_000));
    expect(limiter.secondsToWait("198.51.100.1", at(61_000))).toBe(0);
  });

  test("or the own one: the longer wait counts", () => {
    const limiter = createLimiter({ overall: 4 });
    fail(limiter, 1, "192.0.2.2", at(0));
    fail(limiter, 3, "192.0.2.1", at(30_000));
    expect(limiter.secondsToWait("192.0.2.1", at(30_000))).toBe(60);
    expect(limiter.secondsToWait("192.0.2.2", at(30_000))).toBe(30);
  });
});

describe("a clock that is set back", () => {
  test("makes nobody wait longer than a window, and begins another", () => {
    const limiter = createLimiter({ overall: 3 });
    fail(limiter, 3, "192.0.2.1", at(0));
    expect(limiter.secondsToWait("192.0.2.1", at(-1))).toBe(0);
    fail(limiter, 2, "192.0.2.1", at(-3_600_000));
    expect(limiter.secondsToWait("192.0.2.1", at(-3_600_000))).toBe(0);
    fail(limiter, 1, "192.0.2.1", at(-3_600_000));
    expect(limiter.secondsToWait("192.0.2.1", at(-3_600_000))).toBe(60);
    expect(limiter.secondsToWait("192.0.2.2", at(-3_600_000))).toBe(60);
  });
});

describe("addresses beyond what is remembered", () => {
  const addressOf = (index: number) => `10.0.${index >> 8}.${index & 0xff}`;

  test("put out the one that was counted first, and no other", () => {
    const limiter = createLimiter({ perAddress: 1 });
    for (let index = 0; index < MAX_ADDRESSES; index++) limiter.count(addressOf(index), at(0));
    expect(limiter.secondsToWait(addressOf(0), at(0))).toBe(60);

    limiter.count("192.0.2.1", at(0));
    expect(limiter.secondsToWait(addressOf(0), at(0))).toBe(0);
    const remembered = Array.from({ length: MAX_ADDRESSES - 1 }, (_, index) => addressOf(index + 1));
    for (const address of [...remembered, "192.0.2.1"]) expect(limiter.secondsToWait(address, at(0))).toBe(60);
  });

  test("still count for everybody", () => {
    const limiter = createLimiter({ perAddress: 1, overall: MAX_ADDRESSES + 2 });
    for (let index = 0; index <= MAX_ADDRESSES; index++) limiter.count(addressOf(index), at(0));
    expect(limiter.secondsToWait("192.0.2.1", at(0))).toBe(0);
    limiter.count("192.0.2.2", at(0));
    expect(limiter.secondsToWait("192.0.2.1", at(0))).toBe(60);
  });
});
