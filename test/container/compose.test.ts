/** compose.yaml, held to the Dockerfile and to the service's settings. scripts/try-dockerfile.mjs runs what can be run of it. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { parseDuration } from "../../src/config/duration.js";
import { loadConfig } from "../../src/config/load-config.js";
import { readRepositoryFile } from "../structure/repository.js";
import { runExecutable } from "./run-executable.js";

/** Only what is looked at here. */
interface Service {
  readonly image?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly healthcheck?: { readonly test?: readonly string[] };
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<"secrets" | "mongodb" | "latchkey", Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const dockerfile = readRepositoryFile("Dockerfile");
const compose: Compose = parse(readRepositoryFile("compose.yaml"), { merge: true });
const { secrets, mongodb, latchkey } = compose.services;
const [mountPoint = ""] = secrets.command ?? [];
const adminTokenFile = `${mountPoint}/secrets/admin-token`;

/** Stands for the volume of the secrets. */
const volume = mkdtempSync(join(tmpdir(), "latchkey-compose-"));
const fromImage: Readonly<Record<string, string>> = Object.fromEntries(
  [...dockerfile.matchAll(/\b(LATCHKEY_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
);
const env = Object.fromEntries(
  Object.entries({ ...fromImage, ...latchkey.environment }).map(([name, value]) => {
    return [name, value.replaceAll(mountPoint, volume)];
  }),
);

beforeAll(async () => {
  const made = await runExecutable(sourceOf(secrets.entrypoint?.[1]), [volume]);
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: "" });
});
afterAll(() => rmSync(volume, { recursive: true }));

/** `src/main.ts` for `dist/src/main.js`. */
function sourceOf(built = ""): string {
  return built.replace(/^dist\/(.*)\.js$/, "$1.ts");
}

test("the configuration is right, with the secrets that are made", async () => {
  const main = /^ENTRYPOINT \["node", "(.*)"\]$/m.exec(dockerfile)?.[1];
  const checked = await runExecutable(sourceOf(main), ["config", "check"], env);
  expect(checked).toEqual({ code: 0, stdout: "OK\n", stderr: "" });
});

test("every file that is named is one of the volume, and is there", () => {
  const named = Object.values(env).flatMap((value) => /^(?:file:\/\/)?(\/.*)$/.exec(value)?.[1] ?? []);
  const files = named.filter((path) => path !== fromImage.LATCHKEY_DATA_DIR);
  expect(files).toHaveLength(4);
  expect(files.filter((path) => !path.startsWith(`${volume}/secrets/`) || !existsSync(path))).toEqual([]);
});

test("no secret is written into the file", () => {
  const names = Object.keys(latchkey.environment ?? {});
  expect(names.filter((name) => /_(?:SECRETS_|ADMIN_TOKENS)/.test(name) && !name.endsWith("_FILE"))).toEqual([]);
  expect(new URL(env.LATCHKEY_STORE_MONGODB_URI ?? "").password).toBe("");
});

test("the secrets are written by the service that makes them alone", () => {
  expect(secrets.volumes).toEqual([`secrets:${mountPoint}`]);
  expect(latchkey.volumes).toEqual([`secrets:${mountPoint}:ro`]);
  expect(dockerfile).toContain(`mkdir -m 0700 /data ${mountPoint} && chown 1000:1000 /data ${mountPoint}\n`);
});

test("the token is where README.md and the file itself say", () => {
  const command = `docker compose exec latchkey cat ${adminTokenFile}`;
  expect(existsSync(adminTokenFile.replace(mountPoint, volume))).toBe(true);
  expect(readRepositoryFile("compose.yaml")).toContain(`#   ${command}\n`);
  expect(readRepositoryFile("README.md")).toContain(`\n${command}\n`);
});

test("the service starts when it has its secrets and its database", () => {
  expect(latchkey.depends_on).toEqual({
    secrets: { condition: "service_completed_successfully" },
    mongodb: { condition: "service_healthy" },
  });
});

test("what is ours runs with nothing that it does not need", () => {
  for (const service of [secrets, latchkey]) {
    expect(service).toMatchObject({
      build: ".",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
  }
  const [uid, gid] = /^USER (\d+):(\d+)$/m.exec(dockerfile)?.slice(1) ?? [];
  expect(latchkey.tmpfs).toEqual([`${fromImage.LATCHKEY_DATA_DIR}:uid=${uid},gid=${gid},mode=0700`]);
  expect(secrets.network_mode).toBe("none");
});

test("the port is published on loopback, and MongoDB's nowhere", () => {
  const { config } = loadConfig({ env });
  expect(latchkey.ports).toEqual([`127.0.0.1:${config?.server.port}:${config?.server.port}`]);
  expect([mongodb.ports, secrets.ports]).toEqual([undefined, undefined]);
  expect(mongodb.networks).toEqual(["database"]);
  expect(compose.networks.database).toEqual({ internal: true });
  expect(latchkey.networks).toEqual(["default", "database"]);
});

test("images have a version", () => {
  const images = [
    ...Object.values(compose.services).flatMap(({ image }) => image ?? []),
    ...[...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image = ""]) => image),
  ];
  expect(images).toHaveLength(4);
  expect(images.filter((image) => !/^[a-z]+:\d+[\w.-]*$/.test(image))).toEqual([]);
});

test("the replica set has one name, and its member the name of the service", () => {
  const uri = new URL(env.LATCHKEY_STORE_MONGODB_URI ?? "");
  const name = uri.searchParams.get("replicaSet");
  expect(mongodb.command).toEqual(["--replSet", name, "--bind_ip_all"]);
  expect(mongodb.healthcheck?.test?.at(-1)).toContain(
    `rs.initiate({ _id: "${name}", members: [{ _id: 0, host: "${uri.host}" }] });`,
  );
  expect(uri.hostname).toBe("mongodb");
});

test("a stop waits for the calls under way", () => {
  const { config } = loadConfig({ env });
  expect(parseDuration(latchkey.stop_grace_period ?? "")).toBeGreaterThan(config?.server.drainTimeoutMs ?? 0);
});

test("every volume is declared and used", () => {
  const used = Object.values(compose.services).flatMap(({ volumes = [] }) =>
    volumes.map((entry) => entry.split(":")[0]),
  );
  expect([...new Set(used)].sort()).toEqual(Object.keys(compose.volumes).sort());
});

test("the image's health check is the one that is tested", () => {
  const command = /^HEALTHCHECK .*CMD \["node", "(.*)"\]$/m.exec(dockerfile)?.[1];
  expect(sourceOf(command)).toBe("src/container/health.ts");
});
