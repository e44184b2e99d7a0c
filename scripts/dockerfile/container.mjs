import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bindReadOnly, inRoot, mount } from "./root.mjs";

const CHILD_INTERVAL_MS = 10;

/** A new volume for a folder of the image: it has the folder's owner and mode, as an engine gives it. */
export function createVolume({ root }, folder, scratch, name) {
  const path = join(scratch, "volumes", name);
  mkdirSync(path, { recursive: true });
  const { uid, gid, mode } = statSync(join(root, folder));
  chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
  return path;
}

/** Mounts a volume in the image's root until the process ends. */
export function mountVolume({ root }, folder, volume, isReadOnly) {
  if (isReadOnly) bindReadOnly(volume, join(root, folder));
  else mount("--bind", volume, join(root, folder));
}

/** Runs a command of an image to its end: `{status, stdout, stderr}`. */
export function runOnce(image, env, words) {
  const [program, ...rest] = inRoot(image.root, image, words);
  return spawnSync(program, rest, {
    env: containerEnv(image, env),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/**
 * Starts a command as the first process of a PID namespace, as in a container: the kernel spares that one some signals.
 * Answers `{stop(signal), output, exited}`; `exited` resolves to its exit code.
 */
export async function start(image, env, words) {
  const options = ["--pid", "--fork", "--kill-child", `--mount-proc=${join(image.root, "proc")}`];
  const child = spawn("unshare", [...options, ...inRoot(image.root, image, words)], {
    env: containerEnv(image, env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const service = { output: "", exited: once(child, "exit").then(([code]) => code) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      service.output += text;
    });
  }
  let first;
  for (; first === undefined && child.exitCode === null; await delay(CHILD_INTERVAL_MS)) first = childOf(child.pid);
  // unshare itself leaves signals alone while it waits.
  service.stop = (signal) => process.kill(first, signal);
  return service;
}

function childOf(pid) {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
  return first === "" ? undefined : Number(first);
}

function containerEnv(image, env) {
  return { PATH: process.env.PATH, ...image.env, ...env };
}
