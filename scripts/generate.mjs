// Generates gen/, docs/reference.md and the tables of docs/errors.md from the protos and src/errors.ts: `npm run generate`; with
// --check, fails when they are not what would be generated.
//
// The published definitions are copied out of pinned npm packages into third_party/proto (not committed), because
// google-proto-files alone is 88 MB and nobody who runs or tests the service needs it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const GEN = join(ROOT, "gen");
const PAGES = [join("docs", "reference.md"), join("docs", "errors.md")];
const THIRD_PARTY = join(ROOT, "third_party", "proto");

/** Pinned by version and by integrity; `files` maps a path in the package to the import path of the proto. */
const PACKAGES = [
  {
    name: "google-proto-files@5.0.3",
    integrity: "sha512-HrKG4IIPUHaU1E4+J8yETm41N39+pm9z+ZBERNcq+q8ltHRcFwTcxSviqJSuxPiZJNTWmdBhp03xcElCRlQPxA==",
    files: {
      "google/api/annotations.proto": "google/api/annotations.proto",
      "google/api/field_behavior.proto": "google/api/field_behavior.proto",
      "google/api/http.proto": "google/api/http.proto",
      "google/rpc/error_details.proto": "google/rpc/error_details.proto",
      "google/rpc/status.proto": "google/rpc/status.proto",
    },
  },
  {
    name: "grpc-health-check@2.1.0",
    integrity: "sha512-HH3WjwNtusMTEQAtRelFgsFyNcOdihvpjusNDIrGYfWG8tPNSHqELrSyriIjm70k65YSxetsKG1y4H1L5gi1wQ==",
    files: { "proto/health/v1/health.proto": "grpc/health/v1/health.proto" },
  },
  {
    name: "@grpc/reflection@1.0.4",
    integrity: "sha512-znA8v4AviOD3OPOxy11pxrtP8k8DanpefeTymS8iGW1fVr1U2cHuzfhYqDPHnVNDf4qvF9E25KtSihPy2DBWfQ==",
    files: {
      "build/proto/grpc/reflection/v1/reflection.proto": "grpc/reflection/v1/reflection.proto",
      "build/proto/grpc/reflection/v1alpha/reflection.proto": "grpc/reflection/v1alpha/reflection.proto",
    },
  },
];

function fetchPackage({ name, integrity, files }, scratch) {
  execFileSync("npm", ["pack", name, "--pack-destination", scratch], { stdio: "ignore" });
  const [packed] = readdirSync(scratch);
  const tarball = join(scratch, packed);
  const actual = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  if (actual !== integrity) throw new Error(`${name}: integrity is ${actual}, expected ${integrity}`);

  execFileSync("tar", ["-xzf", tarball, "-C", scratch, ...Object.keys(files).map((file) => `package/${file}`)]);
  for (const [from, to] of Object.entries(files)) {
    mkdirSync(dirname(join(THIRD_PARTY, to)), { recursive: true });
    cpSync(join(scratch, "package", from), join(THIRD_PARTY, to));
  }
}

function copyPublishedProtos() {
  const stamp = join(THIRD_PARTY, ".packages");
  const wanted = JSON.stringify(PACKAGES);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  rmSync(THIRD_PARTY, { recursive: true, force: true });
  for (const entry of PACKAGES) {
    const scratch = mkdtempSync(join(tmpdir(), "latchkey-protos-"));
    try {
      fetchPackage(entry, scratch);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  }
  writeFileSync(stamp, wanted);
}

function buf(...args) {
  const path = `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH}`;
  execFileSync("buf", args, { cwd: ROOT, stdio: "inherit", env: { ...process.env, PATH: path } });
}

/** Relative path -> content of every file below `dir`. */
function readTree(dir) {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(dir.length + 1), readFileSync(path, "utf8")];
    }),
  );
}

/**
 * The code, then what is made of comments too: the OpenAPI document, the reference and the tables of errors. Those are written by
 * TypeScript that imports the code in gen/, which therefore has to be there, and current.
 */
function generate(directory) {
  buf("generate", "-o", directory);
  const scratch = mkdtempSync(join(tmpdir(), "latchkey-image-"));
  try {
    const image = join(scratch, "image.binpb");
    buf("build", "--as-file-descriptor-set", "-o", image);
    const writer = join(ROOT, "scripts", "reference", "main.ts");
    const loader = join(ROOT, "test", "ts-loader.mjs");
    execFileSync(process.execPath, ["--import", loader, writer, image, directory], { stdio: "inherit" });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function check() {
  const scratch = mkdtempSync(join(tmpdir(), "latchkey-gen-"));
  try {
    generate(scratch);
    const expected = readTree(scratch);
    const actual = new Map([...readTree(GEN)].map(([path, text]) => [join("gen", path), text]));
    for (const page of PAGES) actual.set(page, readFileSync(join(ROOT, page), "utf8"));
    const stale = [...new Set([...expected.keys(), ...actual.keys()])].filter((f) => expected.get(f) !== actual.get(f));
    if (stale.length > 0) {
      console.error(`differ from what is generated; run npm run generate:\n  ${stale.join("\n  ")}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

copyPublishedProtos();
buf("lint");
if (process.argv.includes("--check")) check();
else generate(ROOT);
