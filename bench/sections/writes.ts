import { KEY_ATTRIBUTES } from "../api.js";
import { callForAWhile } from "../call-for-a-while.js";
import { createPoster } from "../load/post.js";
import type { Options } from "../options.js";
import { median } from "../rounds.js";
import { Service } from "../service.js";
import { type Measured, plainRow } from "../table.js";

const CALLERS = 32;
const ISSUED_KEYS = "/v2alpha1/admin/issuedApiKeys";

type Post = (path: string, body: object, status: number) => Promise<{ readonly issued_api_key?: { key_id: string } }>;

/** Durable changes per second over REST, by callers that each wait for their answer. Every round: issue, rotate, revoke. */
export async function benchWrites(options: Options): Promise<Measured[]> {
  const service = await Service.start(options);
  const poster = createPoster(service, CALLERS);
  const post: Post = async (path, body, status) => JSON.parse(await poster.post(path, JSON.stringify(body), status));
  const issued: number[] = [];
  const rotated: number[] = [];
  const revoked: number[] = [];
  try {
    await issueForAWhile(post, 1); // a warm-up
    for (let round = 0; round < options.rounds; round += 1) {
      const { keyIds, perSecond } = await issueForAWhile(post, options.seconds);
      issued.push(perSecond);
      rotated.push(await rotateForAWhile(post, keyIds.splice(-CALLERS), options.seconds));
      revoked.push(await revokeForAWhile(post, keyIds, options.seconds));
    }
    return [
      plainRow(`issue, durable, ${CALLERS} callers over REST, calls/s`, median(issued)),
      plainRow(`rotate, durable, ${CALLERS} callers over REST, calls/s`, median(rotated)),
      plainRow(`revoke, durable, ${CALLERS} callers over REST, calls/s`, median(revoked)),
    ];
  } finally {
    poster.close();
    await service.stop();
  }
}

async function issueForAWhile(post: Post, seconds: number) {
  const keyIds: string[] = [];
  const perSecond = await callForAWhile(CALLERS, seconds, async () => {
    keyIds.push(newKeyId(await post(ISSUED_KEYS, KEY_ATTRIBUTES, 201)));
    return true;
  });
  return { keyIds, perSecond };
}

/** Each caller rotates its key, then the key that came of it, and so on. */
function rotateForAWhile(post: Post, keyIds: readonly string[], seconds: number): Promise<number> {
  const current = [...keyIds];
  return callForAWhile(CALLERS, seconds, async (caller) => {
    current[caller] = newKeyId(await post(`${ISSUED_KEYS}/${current[caller]}:rotate`, {}, 201));
    return true;
  });
}

/** Until the time is over or every key is revoked. */
function revokeForAWhile(post: Post, keyIds: string[], seconds: number): Promise<number> {
  return callForAWhile(CALLERS, seconds, async () => {
    const keyId = keyIds.pop();
    if (keyId === undefined) return false;
    await post(`/v2alpha1/admin/apiKeys/${keyId}:revoke`, {}, 200);
    return true;
  });
}

function newKeyId({ issued_api_key }: Awaited<ReturnType<Post>>): string {
  if (issued_api_key === undefined) throw new Error("an answer has no key");
  return issued_api_key.key_id;
}
