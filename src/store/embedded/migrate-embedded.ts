import type { MigrationStatus } from "../migration-status.js";
import { DIRECTORY_FORMATS, type DirectoryFormat, openClosedTables, openEnvironment } from "./environment.js";

const NAMES: Readonly<Record<DirectoryFormat, string>> = {
  1: "keys and their lists",
  2: "lists by status",
};

/** Every format that this release knows. Changes nothing. Rejects with UNAVAILABLE. */
export async function readEmbeddedMigrations(directory: string): Promise<readonly MigrationStatus[]> {
  const closed = openClosedTables(directory);
  try {
    const format = closed.readFormat();
    const current = format === undefined ? 0 : Number(format);
    return DIRECTORY_FORMATS.map((known) => ({
      version: Number(known),
      name: NAMES[known],
      isApplied: Number(known) <= current,
    }));
  } finally {
    await closed.close();
  }
}

/**
 * Brings the store of a directory up to date, and answers what was applied. No process of an earlier release may have it open.
 * Rejects with UNAVAILABLE.
 */
export async function migrateEmbedded(directory: string): Promise<readonly MigrationStatus[]> {
  const pending = (await readEmbeddedMigrations(directory)).filter(({ isApplied }) => !isApplied);
  await openEnvironment(directory, true).close();
  return pending.map((migration) => ({ ...migration, isApplied: true }));
}
