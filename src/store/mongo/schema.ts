import { ServiceError } from "../../errors.js";
import type { KeyCollection } from "./key-document.js";
import {
  LATEST_VERSION,
  MIGRATIONS,
  type Migration,
  type MigrationParts,
  type SchemaCollection,
} from "./migrations.js";
import { isDuplicateKey } from "./unavailable.js";

const SCHEMA_ID = "schema";

/** Where a new database starts; so does one from before schemas had versions. */
export const NO_VERSION = 0;

/**
 * The version of a database's schema; 0 of a new one. Throws UNAVAILABLE for one that this release cannot work with: of a later
 * release that says so, or of another program.
 */
export async function readSchemaVersion(schema: SchemaCollection, keys: KeyCollection): Promise<number> {
  const found = await schema.findOne({ _id: SCHEMA_ID });
  if (found === null) {
    await refuseForeignKeys(keys);
    return NO_VERSION;
  }
  const version = Number(found.version);
  const compatible = Number(found.compatible_version);
  if (!Number.isSafeInteger(version) || version < 1 || !Number.isSafeInteger(compatible)) {
    throw new ServiceError("UNAVAILABLE", `the database ${schema.dbName} has the schema of another program`);
  }
  if (compatible > LATEST_VERSION) {
    throw new ServiceError(
      "UNAVAILABLE",
      `the database ${schema.dbName} has schema version ${version}, this release knows ${LATEST_VERSION}: run a newer release`,
    );
  }
  return version;
}

/** Another program's `keys` must not get our indexes and documents. A database from before schemas had versions is ours. */
async function refuseForeignKeys(keys: KeyCollection): Promise<void> {
  const found = await keys.findOne({}, { projection: { tenant_id: 1, version: 1 } });
  if (found === null || ("tenant_id" in found && "version" in found)) return;
  throw new ServiceError("UNAVAILABLE", `the collection keys of the database ${keys.dbName} is another program's`);
}

export function pendingMigrations(version: number): readonly Migration[] {
  return MIGRATIONS.filter((migration) => migration.version > version);
}

/** Applies what is pending, one after the other; the version says after each how far it came. */
export async function applyMigrations(
  schema: SchemaCollection,
  parts: MigrationParts,
  pending: readonly Migration[],
): Promise<void> {
  for (const migration of pending) {
    await migration.up(parts);
    await recordVersion(schema, migration);
  }
}

/** Never back: another process may be further. */
async function recordVersion(schema: SchemaCollection, { version, compatibleVersion }: Migration): Promise<void> {
  const further = { $max: { version, compatible_version: compatibleVersion } };
  for (;;) {
    try {
      await schema.updateOne({ _id: SCHEMA_ID }, further, { upsert: true });
      return;
    } catch (error) {
      // Another process created the document at the same time: it is there now.
      if (!isDuplicateKey(error)) throw error;
    }
  }
}
