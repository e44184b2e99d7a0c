/** Keys, and what their callers were told of them: that is what has to be there after a crash. */
import { expect } from "@jest/globals";
import type { Api, IssueAnswer } from "./api.js";
import { randomToken } from "./server.js";

/** Of the call that was made last. A call that was not acknowledged may have happened or not. */
type State = "issued" | "revoking" | "revoked" | "rotating" | "rotated";

export interface KnownKey {
  /** Of this key and its successors, and of no other. */
  readonly actorId: string;
  readonly keyId: string;
  readonly secret: string;
  state: State;
}

export const VALID = "VERIFICATION_ERROR_UNSPECIFIED";
export const REVOKED = "VERIFICATION_ERROR_REVOKED";

/** What a verification may answer, and how many active keys the actor then has. */
const OUTCOMES: Readonly<Record<State, readonly (readonly [code: string, active: number])[]>> = {
  issued: [[VALID, 1]],
  revoking: [
    [VALID, 1],
    [REVOKED, 0],
  ],
  revoked: [[REVOKED, 0]],
  // The old key is usable, or one new key is there in its place. Never none, and never both.
  rotating: [
    [VALID, 1],
    [REVOKED, 1],
  ],
  rotated: [[REVOKED, 1]],
};

/** Issues three keys, revokes one of them and rotates another. Throws what the first call throws that is not acknowledged. */
export async function changeKeys(api: Api, keys: KnownKey[]): Promise<void> {
  const add = (actorId: string, { issued_api_key: { key_id: keyId }, secret }: IssueAnswer): KnownKey => {
    const key: KnownKey = { actorId, keyId, secret, state: "issued" };
    keys.push(key);
    return key;
  };
  const issue = async () => {
    const actorId = randomToken();
    return add(actorId, await api.issue({ actor_id: actorId }));
  };
  await issue();

  const doomed = await issue();
  doomed.state = "revoking";
  await api.revoke(doomed.keyId);
  doomed.state = "revoked";

  const old = await issue();
  old.state = "rotating";
  add(old.actorId, await api.rotate(old.keyId));
  old.state = "rotated";
}

/** Throws unless a verification answers what the key's caller was told, also when there is no answer. */
export async function expectVerified(api: Api, key: KnownKey): Promise<void> {
  const { state } = key;
  const { error_code: code } = await api.verify(key.secret);
  if (key.state !== state) return; // changed meanwhile
  expect(OUTCOMES[state].map(([allowed]) => [state, allowed])).toContainEqual([state, code]);
}

/** Throws unless the key is worth what its caller was told, and its actor has the keys that go with it. */
export async function expectKept(api: Api, { state, actorId, secret }: KnownKey): Promise<void> {
  const { error_code: code } = await api.verify(secret);
  const { issued_api_keys: active } = await api.list({ filter: `actor_id="${actorId}" AND status=KEY_STATUS_ACTIVE` });
  expect(OUTCOMES[state].map((allowed) => [state, ...allowed])).toContainEqual([state, code, active.length]);
}
