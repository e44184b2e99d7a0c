// Runs the steps of the Dockerfile, and what compose.yaml starts of it, without a container engine:
// `node scripts/try-dockerfile.mjs`, as root on Linux. It takes about a minute.
//
// Each stage has a root directory of its own, with this machine in place of the image's Debian. In it the secrets are made and
// the service runs as the image's user, as process 1, without capabilities, on a root that cannot be written. It has to become
// healthy, to know the token, to stop on SIGTERM with exit code 0, and not to survive a defect. On the embedded store, and on the
// MongoDB server that LATCHKEY_TEST_MONGODB_URI names, if it does.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MongoClient } from "mongodb";
import { parse } from "yaml";
import { buildImage } from "./dockerfile/build-image.mjs";
import { createVolume, mountVolume, runOnce, start } from "./dockerfile/container.mjs";
import { makeReadOnly, mount } from "./dockerfile/root.mjs";

const SCRIPT = fileURLToPath(import.meta.url);
const ROOT = dirname(dirname(SCRIPT));
const INSIDE = "--inside";
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;
const TOO_LATE = "too late";
const CHECK_INTERVAL_MS = 200;
const HTTP_OK = 200;
/** What nobody catches, at a signal. */
const DEFECT = "--import=data:text/javascript,process.on('SIGUSR2',()=>{throw(Error('defect'))})";

class Failure extends Error {}

function expect(isTrue, message) {
  if (!isTrue) throw new Failure(message);
}

/** In namespaces of its own, so that every mount and every process is gone when it ends, or is ended. */
async function runInside() {
  const namespaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
  if (process.getuid?.() !== 0 || spawnSync("unshare", [...namespaces, "true"]).status !== 0) {
    console.log("the Dockerfile is not tried: that needs root on Linux, and namespaces");
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), "latchkey-dockerfile-"));
  try {
    const words = [...namespaces, process.execPath, SCRIPT, INSIDE, scratch];
    const child = spawn("unshare", words, { stdio: ["ignore", "inherit", "inherit"] });
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child.kill("SIGKILL"));
    const [status] = await once(child, "exit");
    process.exitCode = status ?? 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function tryImage(scratch) {
  mount("-t", "tmpfs", "tmpfs", scratch);
  const image = buildImage(ROOT, scratch);
  const { services } = parse(readFileSync(join(ROOT, "compose.yaml"), "utf8"), { merge: true });
  makeReadOnly(image.root);
  const { stderr } = runOnce({ ...image, user: undefined }, {}, ["touch", "/app/written"]);
  expect(stderr.includes("Read-only file system"), "the root can be written");

  const secrets = makeSecrets(image, services.secrets, scratch);
  mountVolume(image, secrets.folder, secrets.volume, true);
  const { LATCHKEY_STORE_MONGODB_URI: _, ...environment } = services.latchkey.environment;
  const token = readFileSync(join(secrets.volume, "secrets/admin-token"), "utf8").trim();
  mountVolume(image, "/data", createVolume(image, "/data", scratch, "data"), false);
  await tryService(image, environment, token);
  console.log("the embedded store: healthy, knows its token, and ends when it should");

  if (!process.env.LATCHKEY_TEST_MONGODB_URI) return;
  for (const [folder, options] of services.latchkey.tmpfs.map((entry) => entry.split(":"))) {
    mount("-t", "tmpfs", "-o", options, "tmpfs", join(image.root, folder));
  }
  await withDatabase(process.env.LATCHKEY_TEST_MONGODB_URI, (uri) =>
    tryService(image, { ...environment, LATCHKEY_STORE_MONGODB_URI: uri }, token),
  );
  console.log("MongoDB: healthy, knows its token, and ends when it should");
}

/** Runs the service `secrets` as compose.yaml says, twice, for it runs before every start. */
function makeSecrets(image, service, scratch) {
  const [, folder] = service.volumes[0].split(":");
  const volume = createVolume(image, folder, scratch, "secrets");
  mountVolume(image, folder, volume, false);
  for (let times = 1; times <= 2; times += 1) {
    const { status, stdout, stderr } = runOnce(image, {}, [...service.entrypoint, ...service.command]);
    expect(status === 0, `the secrets were not made: ${stderr}`);
    process.stdout.write(stdout);
  }
  return { folder, volume };
}

async function tryService(image, settings, token) {
  const port = String(await freePort());
  const env = { ...settings, LATCHKEY_SERVER_PORT: port };
  const service = await startHealthy(image, env);
  const headers = { authorization: `Bearer ${token}` };
  const listed = await fetch(`http://127.0.0.1:${port}/v2alpha1/admin/issuedApiKeys`, { headers });
  expect(listed.status === HTTP_OK, `the admin token is answered with ${listed.status}: ${service.output}`);
  service.stop("SIGTERM");
  const code = await exitOf(service);
  expect(code === 0, `the service ended with ${code} after SIGTERM: ${service.output}`);

  const defective = await startHealthy(image, env, { NODE_OPTIONS: DEFECT });
  defective.stop("SIGUSR2");
  expect((await exitOf(defective)) !== 0, "the service ended well after a defect");
}

async function startHealthy(image, env, more = {}) {
  const check = () => runOnce(image, env, image.healthcheck);
  expect(check().status === 1, "the health check succeeds before there is a service");
  const service = await start(image, { ...env, ...more }, [...image.entrypoint, ...image.command]);
  const timedOut = AbortSignal.timeout(START_TIMEOUT_MS);
  let ended = false;
  service.exited.then(() => {
    ended = true;
  });
  for (let health = check(); health.status !== 0; health = check()) {
    expect(!ended && !timedOut.aborted, `the service is not healthy: ${health.stderr}${service.output}`);
    await delay(CHECK_INTERVAL_MS);
  }
  return service;
}

async function exitOf(service) {
  const tooLate = delay(STOP_TIMEOUT_MS, TOO_LATE, { ref: false });
  const code = await Promise.race([service.exited, tooLate]);
  expect(code !== TOO_LATE, `the service goes on: ${service.output}`);
  return code;
}

/** Hands on the URI of a database of this run's own, and drops it in the end. */
async function withDatabase(serverUri, use) {
  const [servers, options] = serverUri.split("?", 2);
  const base = servers.replace(/^(mongodb(?:\+srv)?:\/\/[^/]+).*$/, "$1");
  const uri = `${base}/latchkey_test_${randomBytes(8).toString("hex")}${options === undefined ? "" : `?${options}`}`;
  try {
    await use(uri);
  } finally {
    const client = new MongoClient(uri);
    await client.db().dropDatabase();
    await client.close();
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

if (process.argv[2] === INSIDE) {
  try {
    await tryImage(process.argv[3]);
  } catch (error) {
    console.error(`try-dockerfile: ${error instanceof Failure ? error.message : error.stack}`);
    process.exitCode = 1;
  }
  process.exit(); // with whatever still runs
} else await runInside();
