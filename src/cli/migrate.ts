import type { Config } from "../config/config.js";
import { type MigrationStatus, migrateMongo, readMigrations } from "../store/mongo/migrate-mongo.js";
import type { Output } from "./program.js";

const EMBEDDED = "The embedded store is brought up to date whenever it is opened.\n";

/** Applies the migrations that the store needs. Rejects with UNAVAILABLE. */
export async function migrateUp({ store: { mongodb } }: Config, stdout: Output): Promise<void> {
  if (mongodb === undefined) {
    stdout.write(EMBEDDED);
    return;
  }
  const applied = await migrateMongo(mongodb);
  stdout.write(applied.length === 0 ? "up to date\n" : applied.map(migrationLine).join(""));
}

/** Says which migrations the store has. Rejects with UNAVAILABLE. */
export async function migrateStatus({ store: { mongodb } }: Config, stdout: Output): Promise<void> {
  stdout.write(mongodb === undefined ? EMBEDDED : (await readMigrations(mongodb)).map(migrationLine).join(""));
}

function migrationLine({ version, name, isApplied }: MigrationStatus): string {
  return `${version}  ${isApplied ? "applied" : "pending"}  ${name}\n`;
}
