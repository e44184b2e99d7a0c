/** Languages of blocks that nothing runs. */
export const UNTESTED_LANGUAGES: readonly string[] = ["console", "ini"];

/** A block that nothing runs, and why. */
export interface Untested {
  readonly page: string;
  readonly firstLine: string;
  readonly reason: string;
}

const INSTALL = "it installs for the whole machine; scripts/try-package.mjs does so in a folder of its own";
const CONTAINERS =
  "it needs a container engine; test/container/ and scripts/try-dockerfile.mjs do its steps without one";
const SYSTEMD = "it needs root on a machine with systemd";

/** Every such block, in the order of the pages. */
export const UNTESTED: readonly Untested[] = [
  {
    page: "README.md",
    firstLine: "npm ci && npm start        # the service, on http://127.0.0.1:4420",
    reason: "it installs the packages that this test runs with; .ci/run runs both lines in a copy",
  },
  { page: "README.md", firstLine: "docker compose up", reason: CONTAINERS },
  {
    page: "README.md",
    firstLine: "docker compose exec latchkey cat /run/latchkey/secrets/admin-token",
    reason: CONTAINERS,
  },
  { page: "docs/operations/deploy.md", firstLine: "npm install --global ./latchkey-*.tgz", reason: INSTALL },
  { page: "docs/operations/deploy.md", firstLine: "[Unit]", reason: SYSTEMD },
  { page: "docs/operations/deploy.md", firstLine: "systemctl daemon-reload", reason: SYSTEMD },
  {
    page: "docs/operations/scale.md",
    firstLine: 'db.keys.createIndex({ _id: "hashed" })',
    reason: "it needs mongosh and a sharded cluster",
  },
  { page: "docs/operations/upgrade.md", firstLine: "npm install --global ./latchkey-*.tgz", reason: INSTALL },
  { page: "docs/quick-start.md", firstLine: "npm ci", reason: INSTALL },
];
