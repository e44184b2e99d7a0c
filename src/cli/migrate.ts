import type { Config } from "../config/config.js";
import { hasEmbeddedStore } from "../store/embedded/backup-store.js";
import { migrateEmbedded, readEmbeddedMigrations } from "../store/embedded/migrate-embedded.js";
import type { MigrationStatus } from "../store/migration-status.js";
import { migrateMongo, readMigrations } from "../store/mongo/migrate-mongo.js";
import { storeDirectory } from "./open-domain.js";
import type { Output } from "./program.js";

const NO_STORE = "there is no store yet: the first start makes one\n";

interface Migrations {
  read(): Promise<readonly MigrationStatus[]>;
  apply(): Promise<readonly MigrationStatus[]>;
}

/** Applies the migrations that the store needs. Rejects with UNAVAILABLE. */
export async function migrateUp(config: Config, stdout: Output): Promise<void> {
  const applied = await migrationsOf(config)?.apply();
  stdout.write(applied?.length === 0 ? "up to date\n" : linesOf(applied));
}

/** Says which migrations the store has. Rejects with UNAVAILABLE. */
export async function migrateStatus(config: Config, stdout: Output): Promise<void> {
  stdout.write(linesOf(await migrationsOf(config)?.read()));
}

/** `undefined`: there is no embedded store. */
function migrationsOf({ store: { mongodb }, dataDir }: Config): Migrations | undefined {
  if (mongodb !== undefined) return { read: () => readMigrations(mongodb), apply: () => migrateMongo(mongodb) };
  const directory = storeDirectory(dataDir);
  if (!hasEmbeddedStore(directory)) return undefined;
  return { read: () => readEmbeddedMigrations(directory), apply: () => migrateEmbedded(directory) };
}

function linesOf(migrations: readonly MigrationStatus[] | undefined): string {
  if (migrations === undefined) return NO_STORE;
  return migrations
    .map(({ version, name, isApplied }) => `${version}  ${isApplied ? "applied" : "pending"}  ${name}\n`)
    .join("");
}
