import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isInstalled } from "../is-installed.js";
import { TOOLS_REQUIRED } from "../tools-required.js";

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 30_000;
const PIP_OPTIONS = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10"];

type Command = readonly [string, ...string[]];

interface Shop {
  /** Where it is made, and run by `command`. */
  readonly folder: string;
  readonly command: Command;
  /** The variable that names a file of authorities to trust. */
  readonly authorities: string;
}

export interface ClientPage {
  readonly page: string;
  /** Programs that it needs. */
  readonly programs: readonly string[];
  /** Asks for one of its packages. Absent: it needs none. */
  readonly probe?: Command;
  /** The program that it makes. Absent: it makes none. */
  readonly shop?: Shop;
}

export const CLIENT_PAGES: readonly ClientPage[] = [
  { page: "docs/clients/curl.md", programs: ["bash", "curl"] },
  {
    page: "docs/clients/go.md",
    programs: ["bash", "curl", "go", "grpcurl"],
    probe: ["go", "list", "-m", "google.golang.org/grpc@v1.85.0"],
    shop: { folder: "go-shop", command: ["./shop"], authorities: "SSL_CERT_FILE" },
  },
  {
    page: "docs/clients/python.md",
    programs: ["bash", "curl", "python3"],
    probe: ["python3", "-m", "pip", "download", ...PIP_OPTIONS, "--no-deps", "grpcio-status==1.85.1"],
    shop: {
      folder: "python-shop",
      command: ["venv/bin/python", "shop.py"],
      authorities: "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    },
  },
  {
    page: "docs/clients/typescript.md",
    programs: ["bash", "curl", "npm"],
    probe: ["npm", "view", "--fetch-retries", "0", "@grpc/grpc-js@1.14.7", "version"],
    shop: {
      folder: "typescript-shop",
      command: [process.execPath, "dist/shop.js"],
      authorities: "NODE_EXTRA_CA_CERTS",
    },
  },
];

/**
 * Why a page cannot be run here. With LATCHKEY_TEST_REQUIRE_TOOLS=true nobody asks, and whoever runs it sees what is missing.
 */
export async function findProblem({ programs, probe }: ClientPage): Promise<string | undefined> {
  if (TOOLS_REQUIRED) return undefined;
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
