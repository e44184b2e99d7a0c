import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { DomainContext } from "../../src/domain/context.js";
import { updateKey } from "../../src/domain/update-key.js";
import { verifyKey } from "../../src/domain/verify-key.js";
import { ServiceError } from "../../src/errors.js";
import type { KeyRecord } from "../../src/store/key-store.js";
import { addCaveatTo, createFixture, derive, type Fixture, issue, rotate, tenantId } from "./fixture.js";

const SECOND_MS = 1_000;
const SCOPES = ["a", "b", "c"];
const ADDRESSES = ["10.0.0.1", "10.1.2.3", "192.0.2.1", "2001:db8::1", "::ffff:10.1.2.3", undefined];

let domain: Fixture;
beforeAll(async () => {
  domain = await createFixture();
});
afterAll(() => domain.dispose());

const cidrs = fc.array(
  fc.constantFrom("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.0/24"),
  { maxLength: 3 },
);
/** Often none. */
const ttlMs = fc.oneof(fc.constant(undefined), fc.constant(undefined), fc.integer({ min: SECOND_MS, max: 40_000 }));
const scopes = fc.oneof(
  { weight: 4, arbitrary: fc.subarray(SCOPES, { minLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom<string[]>([], ["admin"]) },
);

/** What a holder, an operator or the time may do. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("derive" as const),
      algorithm: fc.constantFrom("jwt" as const, "macaroon" as const),
      scopes,
      /** Whether only those of these scopes are asked for that the parent has: more than those is refused. */
      isModest: fc.boolean(),
      ttlMs,
      customClaims: fc.constantFrom({}, {}, { team: "a" }, { team: "b" }, { region: "eu" }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("caveat" as const),
      text: fc.oneof(
        scopes.map((list) => `scp subset ${JSON.stringify(list)}`),
        cidrs.map((list) => `acl subset ${JSON.stringify(list)}`),
        fc.constantFrom("role = admin", 'scp superset ["admin"]'),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("expiry caveat" as const), second: fc.integer({ min: -1, max: 60 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      // Backwards, too: another process's clock may be behind.
      ms: fc.oneof(fc.integer({ min: -4_000, max: -SECOND_MS }), fc.integer({ min: 0, max: 8_000 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("update" as const),
      attributes: fc.record({ scopes: fc.subarray([...SCOPES, "admin"]), allowedCidrs: cidrs }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rotate" as const), gracePeriodMs: fc.nat(30_000) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const key = fc.record({
  scopes: fc.oneof(fc.constant(SCOPES), fc.subarray(SCOPES)),
  allowedCidrs: fc.option(cidrs, { nil: undefined, freq: 2 }),
  ttlMs,
});

/** A credential and the one that it was made from. */
interface Descent {
  readonly parent: string;
  readonly child: string;
}

/** What a credential is good for at one time and address; `undefined`: for nothing. */
interface Power {
  readonly scopes: readonly string[];
  readonly custom: object;
  readonly isToken: boolean;
}

const plainDerive: Step = {
  kind: "derive",
  algorithm: "jwt",
  scopes: [],
  isModest: false,
  ttlMs: undefined,
  customClaims: {},
};
/** A token of a token that is valid later than itself. */
const CLOCK_SET_BACK: Step[] = [
  { kind: "wait", ms: 2_000 },
  plainDerive,
  { kind: "wait", ms: -SECOND_MS },
  plainDerive,
];

/** How often each thing happened: a property about nothing would hold as well. */
const seen = { ofTokens: 0, good: 0, narrower: 0, refusedChild: 0, refusedStep: 0 };

test("nothing that is derived or narrowed is good for more than what it came from, at any time, anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(key, fc.array(step, { minLength: 6, maxLength: 12 }), async (attributes, steps) => {
      // Each run on a whole second of its own, with the clock where the last one left it.
      domain.advance(SECOND_MS - (domain.clock().getTime() % SECOND_MS));
      const startMs = domain.clock().getTime();
      const { record, secret } = await issue(domain, attributes);
      const descents: Descent[] = [];
      let credential = secret;
      for (const next of steps) {
        const child = await take(next, credential, record, startMs);
        if (child === undefined) continue;
        descents.push({ parent: credential, child });
        await expectNoMore({ parent: credential, child }, startMs);
        // From a token that is good for nothing nothing can be made: then it goes on with its parent.
        if ((await findUse(child)) !== undefined) credential = child;
      }
      for (const descent of descents) await expectNoMore(descent, startMs);
    }),
    { seed: 1, numRuns: 100, examples: [[{ scopes: [], allowedCidrs: undefined, ttlMs: undefined }, CLOCK_SET_BACK]] },
  );
  expect(seen.ofTokens).toBeGreaterThan(50);
  expect(seen.good).toBeGreaterThan(1_000);
  expect(seen.narrower).toBeGreaterThan(100);
  expect(seen.refusedChild).toBeGreaterThan(1_000);
  expect(seen.refusedStep).toBeGreaterThan(20);
});

/** The credential that a step makes from another, if it makes one. */
async function take(next: Step, credential: string, record: KeyRecord, startMs: number): Promise<string | undefined> {
  try {
    switch (next.kind) {
      case "derive":
        return await deriveFrom(credential, next);
      case "caveat":
        return addCaveat(credential, next.text);
      case "expiry caveat":
        return addCaveat(credential, `exp <= ${startMs / SECOND_MS + next.second}`);
      case "wait":
        domain.advance(next.ms);
        return undefined;
      case "update":
        await updateKey(domain, { ...record, attributes: next.attributes, path: "" });
        return undefined;
      case "rotate":
        await rotate(domain, { ...record, overrides: {}, gracePeriodMs: next.gracePeriodMs });
        return undefined;
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    seen.refusedStep++;
    return undefined;
  }
}

/** Only a macaroon takes caveats. */
function addCaveat(credential: string, caveat: string): string | undefined {
  return credential.startsWith("mc_v1_") ? addCaveatTo(credential, caveat) : undefined;
}

/** An address that a credential is good for now, and what for. */
async function findUse(credential: string): Promise<{ clientAddress: string | undefined; power: Power } | undefined> {
  for (const clientAddress of ADDRESSES) {
    const power = await powerOf(credential, domain.clock().getTime(), clientAddress);
    if (power !== undefined) return { clientAddress, power };
  }
  return undefined;
}

async function deriveFrom(credential: string, next: Extract<Step, { kind: "derive" }>): Promise<string> {
  const { algorithm, ttlMs, customClaims } = next;
  const use = await findUse(credential);
  const scopes = next.scopes.filter((scope) => !next.isModest || use?.power.scopes.includes(scope));
  const clientAddress = use?.clientAddress;
  const { token } = await derive(domain, { algorithm, ttlMs, customClaims, scopes, clientAddress, credential });
  if (use?.power.isToken) seen.ofTokens++;
  return token;
}

async function expectNoMore({ parent, child }: Descent, startMs: number): Promise<void> {
  for (const timeMs of await findTimes([parent, child], startMs)) {
    for (const address of ADDRESSES) {
      const [before, after] = [await powerOf(parent, timeMs, address), await powerOf(child, timeMs, address)];
      if (after === undefined) {
        seen.refusedChild++;
        continue;
      }
      seen.good++;
      expect({ timeMs, address, parent: before }).toHaveProperty("parent.scopes");
      expect(before?.scopes).toEqual(expect.arrayContaining([...after.scopes]));
      expect(after.custom).toMatchObject(before?.custom ?? {});
      if (before !== undefined && after.scopes.length < before.scopes.length) seen.narrower++;
    }
  }
}

/** Now, around the start of the run, some times after it, and around the ends of the credentials as they are. */
async function findTimes(credentials: readonly string[], startMs: number): Promise<readonly number[]> {
  const ends: number[] = [];
  for (const credential of credentials) {
    const verification = await verifyKey(domain, { tenantId, credential, clientAddress: "10.1.2.3" });
    const record = verification.valid ? verification.record : verification.key?.record;
    const token = verification.valid ? verification.token : undefined;
    for (const end of [record?.expireTime, record?.revocation?.graceEnd, token?.expireTime]) {
      if (end !== undefined) ends.push(end.getTime());
    }
    if (token !== undefined) ends.push(token.issueTime.getTime() - 5_000);
  }
  const around = [...ends, startMs, startMs - 5_000].flatMap((time) => [time - 1, time]);
  const later = [5, 20, 45, 3_600].map((seconds) => startMs + seconds * SECOND_MS);
  return [...new Set([domain.clock().getTime(), ...around, ...later])];
}

async function powerOf(
  credential: string,
  timeMs: number,
  clientAddress: string | undefined,
): Promise<Power | undefined> {
  const then: DomainContext = { ...domain, clock: () => new Date(timeMs) };
  const verification = await verifyKey(then, { tenantId, credential, clientAddress });
  if (!verification.valid) return undefined;
  const { token, record } = verification;
  return token ? { ...token, isToken: true } : { scopes: record?.scopes ?? [], custom: {}, isToken: false };
}
