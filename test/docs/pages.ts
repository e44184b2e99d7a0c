import { listFiles } from "../structure/repository.js";

/** Their programs need other languages, and have tests of their own. */
const CLIENT_PAGES = "docs/clients/";

/** Every page that is for users: the README, and what is below docs/. */
export const PAGES: readonly string[] = ["README.md", ...listFiles("docs/").filter((path) => path.endsWith(".md"))];

/** Those of them whose steps are taken by `pages.test.ts`. */
export const STEP_PAGES: readonly string[] = PAGES.filter((path) => !path.startsWith(CLIENT_PAGES));
