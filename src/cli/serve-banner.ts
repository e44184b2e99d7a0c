import { basename } from "node:path";

export interface BannerFacts {
  readonly version: string;
  /** Base URL, such as `http://127.0.0.1:4420`. */
  readonly url: string;
  /** Such as `embedded, in data/store` or `MongoDB`. Never a URI, which may hold a password. */
  readonly store: string;
  /** Directory of the generated secrets, and the paths of those in use. */
  readonly secrets: { readonly directory: string; readonly files: readonly string[] };
  /** How an admin shows who they are: the generated token's file, a configured token, or not at all. */
  readonly admin: { readonly tokenFile: string } | "configured-token" | "none";
}

const DEMO_KEY = '{"name":"demo","actor_id":"me"}';

/** What `latchkey serve` shows when it is ready: where things are, never what is in them, and two commands to try. */
export function serveBanner({ version, url, store, secrets, admin }: BannerFacts): string {
  const authorization = authorizationOption(admin);
  const overTls = url.startsWith("https:");
  return [
    `Latchkey ${version} is ready at ${url}`,
    `  store    ${store}`,
    `  secrets  ${secrets.directory} (${secrets.files.map((file) => basename(file)).join(", ")})`,
    "",
    "Issue a key, over REST and over gRPC:",
    "",
    `  curl ${authorization}-H 'Content-Type: application/json' \\`,
    `    -d '${DEMO_KEY}' ${url}/v2alpha1/admin/issuedApiKeys`,
    "",
    `  npx buf curl --protocol grpc ${overTls ? "" : "--http2-prior-knowledge "}${authorization}\\`,
    `    -d '${DEMO_KEY}' ${url}/latchkey.v2alpha1.ApiKeysService/AdminIssueApiKey`,
    "",
  ].join("\n");
}

/** The option with a space after it, or nothing. */
function authorizationOption(admin: BannerFacts["admin"]): string {
  if (admin === "none") return "";
  const token = admin === "configured-token" ? "$LATCHKEY_TOKEN" : `$(cat ${quote(admin.tokenFile)})`;
  return `-H "Authorization: Bearer ${token}" `;
}

/** A path as a word of a POSIX shell. */
function quote(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
