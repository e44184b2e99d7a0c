import { createHmac, createSecretKey } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { checkPepper } from "../../src/domain/check-pepper.js";
import type { DomainContext } from "../../src/domain/context.js";
import { createFixture, createSecrets, type Fixture, importRaw, verdict } from "./fixture.js";

const REFUSED = {
  reason: "INTERNAL",
  message:
    "secrets.pepper is not the one that this store was first used with; restore it, for imported keys cannot be found with another",
};

let domain: Fixture;
beforeEach(async () => {
  domain = await createFixture();
});
afterEach(() => domain.dispose());

/** The domain, with these bytes as its pepper. */
function withPepper(bytes: Uint8Array): DomainContext {
  return { ...domain, secrets: { ...domain.secrets, pepper: createSecretKey(bytes) } };
}

describe("the pepper", () => {
  test("of the first start is the one for ever, also where the others are new", async () => {
    await checkPepper(domain);
    await checkPepper(domain);
    await checkPepper({ ...domain, secrets: { ...createSecrets(), pepper: domain.secrets.pepper } });
  });

  test("that is another is refused, each time, and the first still passes", async () => {
    await checkPepper(domain);
    const other = withPepper(Buffer.alloc(32, 1));
    await expect(checkPepper(other)).rejects.toMatchObject(REFUSED);
    await expect(checkPepper(other)).rejects.toMatchObject(REFUSED);
    await checkPepper(domain);
  });

  test("that is another would find no imported key", async () => {
    await importRaw(domain, { rawKey: "sk_live_1" });
    expect(await verdict(domain, "sk_live_1")).toBe("active");
    expect(await verdict(withPepper(Buffer.alloc(32, 1)), "sk_live_1")).toBe("not_found");
  });

  test("of one of several processes that start at once is the one", async () => {
    const peppers = [1, 2, 3, 4].map((byte) => withPepper(Buffer.alloc(32, byte)));
    const starts = await Promise.allSettled(peppers.map(checkPepper));
    expect(starts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const start of starts) if (start.status === "rejected") expect(start.reason).toMatchObject(REFUSED);
  });

  test("is not in the store: a keyed hash with it is", async () => {
    const pepper = Buffer.alloc(32, 1);
    await checkPepper(withPepper(pepper));
    const stored = await domain.store.claim("pepper", Buffer.from("too late"));
    const expected = createHmac("sha256", pepper).update("latchkey/pepper-check/v1").digest();
    expect(Buffer.from(stored).equals(expected)).toBe(true);
  });
});
