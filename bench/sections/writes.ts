import { Agent, request } from "node:http";
import { KEY_ATTRIBUTES } from "../api.js";
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
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  const post = poster(service, agent);
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
    agent.destroy();
    await service.stop();
  }
}

async function issueForAWhile(post: Post, seconds: number) {
  const keyIds: string[] = [];
  const perSecond = await callForAWhile(seconds, async () => {
    keyIds.push(newKeyId(await post(ISSUED_KEYS, KEY_ATTRIBUTES, 201)));
    return true;
  });
  return { keyIds, perSecond };
}

/** Each caller rotates its key, then the key that came of it, and so on. */
function rotateForAWhile(post: Post, keyIds: readonly string[], seconds: number): Promise<number> {
  const current = [...keyIds];
  return callForAWhile(seconds, async (caller) => {
    current[caller] = newKeyId(await post(`${ISSUED_KEYS}/${current[caller]}:rotate`, {}, 201));
    return true;
  });
}

/** Until the time is over or every key is revoked. */
function revokeForAWhile(post: Post, keyIds: string[], seconds: number): Promise<number> {
  return callForAWhile(seconds, async () => {
    const keyId = keyIds.pop();
    if (keyId === undefined) return false;
    await post(`/v2alpha1/admin/apiKeys/${keyId}:revoke`, {}, 200);
    return true;
  });
}

/** Lets every caller call again and again, until `call` has nothing left to do. Answers calls per second. */
async function callForAWhile(seconds: number, call: (caller: number) => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let calls = 0;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    while (performance.now() < endsAt && (await call(caller))) calls += 1;
  });
  await Promise.all(callers);
  return calls / ((performance.now() - startedAt) / 1000);
}

function newKeyId({ issued_api_key }: Awaited<ReturnType<Post>>): string {
  if (issued_api_key === undefined) throw new Error("an answer has no key");
  return issued_api_key.key_id;
}

function poster({ url, authorization }: Service, agent: Agent): Post {
  return (path, body, expectedStatus) =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body);
      const headers = { authorization, "content-type": "application/json", "content-length": Buffer.byteLength(text) };
      const call = request(`${url}${path}`, { method: "POST", agent, headers, timeout: 10_000 }, (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const answerText = Buffer.concat(parts).toString();
          if (answer.statusCode === expectedStatus) resolve(JSON.parse(answerText));
          else reject(new Error(`${path} answered ${answer.statusCode}: ${answerText}`));
        });
      });
      call.on("timeout", () => call.destroy(new Error(`${path} did not answer`)));
      call.on("error", reject);
      call.end(text);
    });
}
