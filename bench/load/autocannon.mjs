/**
 * What wrk and verify.lua do, for machines without wrk. Prints {"perSecond", "failed"}.
 * Arguments: URL, connections, seconds, file of bodies, length of each, authorization header, path.
 */
import { readFileSync } from "node:fs";
import autocannon from "autocannon";

const [url, connections, seconds, bodiesFile, bodyBytes, authorization, path] = process.argv.slice(2);
const bodies = readFileSync(bodiesFile);
const length = Number(bodyBytes);
const count = bodies.length / length;

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
process.stdout.write(
  JSON.stringify({ perSecond: requests.total / result.duration, failed: errors + timeouts + non2xx }),
);

function drawBody() {
  const from = Math.floor(Math.random() * count) * length;
  return bodies.subarray(from, from + length);
}
