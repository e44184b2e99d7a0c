/**
 * What wrk and post.lua do, for machines without wrk. Prints {"perSecond", "calls", "failed"}.
 * Arguments: URL, connections, seconds, file of bodies, length of each, authorization header, path, and the position of the
 * first body to post them in order, else -1.
 */
import { readFileSync } from "node:fs";
import autocannon from "autocannon";

const [url, connections, seconds, bodiesFile, bodyBytes, authorization, path, from] = process.argv.slice(2);
const bodies = readFileSync(bodiesFile);
const length = Number(bodyBytes);
const count = bodies.length / length;
let next = Number(from);

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  requests: [
    {
      method: "POST",
      path,
      headers: { authorization, "content-type": "application/json" },
      ...(count === 1 ? { body: bodies } : { setupRequest: (request) => ({ ...request, body: drawBody() }) }),
    },
  ],
});
const { errors, timeouts, non2xx, requests } = result;
const failed = errors + timeouts + non2xx;
process.stdout.write(JSON.stringify({ perSecond: requests.total / result.duration, calls: requests.total, failed }));

function drawBody() {
  const at = (next < 0 ? Math.floor(Math.random() * count) : next++ % count) * length;
  return bodies.subarray(at, at + length);
}
