import { expect, test } from "@jest/globals";
import { BatchImportErrorCodeSchema } from "../../gen/latchkey/v2alpha1/api_keys_service_pb.js";
import { readRepositoryFile } from "../structure/repository.js";

test("docs/errors.md names error codes of batch imports that exist", () => {
  const named = readRepositoryFile("docs/errors.md").match(/BATCH_IMPORT_ERROR_[A-Z_]+/g) ?? [];
  const known = BatchImportErrorCodeSchema.values.map(({ name }) => name);
  expect(named).toHaveLength(3);
  expect(known).toEqual(expect.arrayContaining(named));
});
