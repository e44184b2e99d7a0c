/**
 * Where the time went: the functions of a CPU profile with the largest self time, in percent of the time not idle.
 *
 *     node bench/top-of-profile.mjs FILE.cpuprofile [COUNT]
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const [file, count = "15"] = process.argv.slice(2);
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8"));
const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));

const selfTimes = new Map();
let busy = 0;
samples.forEach((id, at) => {
  const { functionName, url, lineNumber } = byId.get(id);
  if (functionName === "(idle)") return;
  const place = url.startsWith("file:") ? relative(process.cwd(), fileURLToPath(url)) : url;
  const name = `${functionName || "(anonymous)"}${place && `  ${place}:${lineNumber + 1}`}`;
  selfTimes.set(name, (selfTimes.get(name) ?? 0) + timeDeltas[at]);
  busy += timeDeltas[at];
});
const top = [...selfTimes].sort(([, a], [, b]) => b - a).slice(0, Number(count));
for (const [name, time] of top) process.stdout.write(`${((100 * time) / busy).toFixed(1).padStart(5)} %  ${name}\n`);
