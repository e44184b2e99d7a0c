import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 30_000;
const PIP_OPTIONS = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10"];

type Command = readonly [string, ...string[]];

export interface ClientPage {
  readonly page: string;
  /** Programs that it needs. */
  readonly programs: readonly string[];
  /** Asks for one of its packages. Absent: it needs none. */
  readonly probe?: Command;
  /** The program that it makes: in which folder, and how it is run there. Absent: it makes none. */
  readonly shop?: { readonly folder: string; readonly command: Command };
}

export const CLIENT_PAGES: readonly ClientPage[] = [
  { page: "docs/clients/curl.md", programs: ["bash", "curl"] },
  {
    page: "docs/clients/go.md",
    programs: ["bash", "curl", "go", "grpcurl"],
    probe: ["go", "list", "-m", "google.golang.org/grpc@v1.85.0"],
    shop: { folder: "go-shop", command: ["./shop"] },
  },
  {
    page: "docs/clients/python.md",
    programs: ["bash", "curl", "python3"],
    probe: ["python3", "-m", "pip", "download", ...PIP_OPTIONS, "--no-deps", "grpcio-status==1.85.1"],
    shop: { folder: "python-shop", command: ["venv/bin/python", "shop.py"] },
  },
  {
    page: "docs/clients/typescript.md",
    programs: ["bash", "curl", "npm"],
    probe: ["npm", "view", "--fetch-retries", "0", "@grpc/grpc-js@1.14.7", "version"],
    shop: { folder: "typescript-shop", command: [process.execPath, "dist/shop.js"] },
  },
];

/**
 * Why a page cannot be run here. With LATCHKEY_TEST_REQUIRE_TOOLS=true nobody asks, and whoever runs it sees what is missing.
 */
export async function findProblem({ programs, probe }: ClientPage): Promise<string | undefined> {
  if (process.env.LATCHKEY_TEST_REQUIRE_TOOLS === "true") return undefined;
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0) return `there is no ${missing.join(" and no ")} here`;
  if (probe === undefined) return undefined;
  const [program, ...words] = probe;
  const scratch = mkdtempSync(join(tmpdir(), "latchkey-probe-")); // what is fetched is left in the current directory
  try {
    await run(program, words, { cwd: scratch, timeout: PROBE_TIMEOUT_MS });
    return undefined;
  } catch {
    return "its packages cannot be fetched here";
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}
