import { batchImportCases } from "./batch-import-cases.js";
import { batchVerifyCases } from "./batch-verify-cases.js";
import { callCases } from "./call-cases.js";
import type { Case } from "./case.js";
import { deriveCases } from "./derive-cases.js";
import { deriveFromTokenCases } from "./derive-from-token-cases.js";
import { derivedTokenCases } from "./derived-token-cases.js";
import { getCases } from "./get-cases.js";
import { idempotencyCases } from "./idempotency-cases.js";
import { importCases } from "./import-cases.js";
import { importedKeyCases } from "./imported-key-cases.js";
import { ipCases } from "./ip-cases.js";
import { issueCases } from "./issue-cases.js";
import { jwksCases } from "./jwks-cases.js";
import { listCases } from "./list-cases.js";
import { macaroonCases } from "./macaroon-cases.js";
import { revokeCases } from "./revoke-cases.js";
import { rotateCases } from "./rotate-cases.js";
import { selfRevokeCases } from "./self-revoke-cases.js";
import { updateCases } from "./update-cases.js";
import { storyCases, verifyCases } from "./verify-cases.js";

/** Every case, by the group that its test goes by. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  story: storyCases,
  calls: callCases,
  issue: issueCases,
  get: getCases,
  list: listCases,
  update: updateCases,
  rotate: rotateCases,
  revoke: revokeCases,
  verify: verifyCases,
  import: importCases,
  "batch import": batchImportCases,
  "imported keys": importedKeyCases,
  "batch verify": batchVerifyCases,
  addresses: ipCases,
  derive: deriveCases,
  "derive from a token": deriveFromTokenCases,
  "derived tokens": derivedTokenCases,
  macaroons: macaroonCases,
  jwks: jwksCases,
  "self-revoke": selfRevokeCases,
  idempotency: idempotencyCases,
};
