/**
 * What is checked before LMDB is let near a directory, since LMDB itself answers some of it with a crash: it maps its files
 * into memory, and a read past the end of a damaged file, or a write to a file that a full disk has no room for, is a signal.
 */
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { endianness } from "node:os";
import { join } from "node:path";
import { ServiceError } from "../../errors.js";

export const DIRECTORY_MODE = 0o700;
export const FILE_MODE = 0o600;
/** Room for the first pages and the lock file. */
const PROBE_BYTES = 64 * 1024;

/** Where LMDB's data format 2 keeps what on its first two pages (64-bit machines; integers in the machine's byte order). */
const META_PAGE = { magic: 24, version: 28, pageSize: 48, freeRoot: 88, mainRoot: 136, transaction: 152, bytes: 160 };
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
/** The root "page" of an empty tree. */
const NO_PAGE = 2n ** 64n - 1n;

/** Creates the directory if it is missing, and throws an error that names it unless it can be written. */
export function prepareDirectory(directory: string): void {
  const probe = join(directory, `.probe-${process.pid}`);
  try {
    mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
    const file = openSync(probe, "w", FILE_MODE);
    try {
      writeSync(file, Buffer.alloc(PROBE_BYTES));
      fsyncSync(file);
    } finally {
      closeSync(file);
      unlinkSync(probe);
    }
  } catch (error) {
    throw new ServiceError("UNAVAILABLE", `the store directory ${directory} cannot be written: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Makes the names of files that were just created in the directory durable. */
export function syncDirectory(directory: string): void {
  if (process.platform === "win32") return; // has no such call
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Throws an error that names the directory when its data file is no LMDB file or has lost the pages everything starts from.
 * It does not look for damage further in: LMDB may leave the end of a healthy file unwritten.
 */
export function checkDataFile(directory: string): void {
  if (process.arch === "arm" || process.arch === "ia32") return; // another layout
  const path = join(directory, "data.mdb");
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new ServiceError("UNAVAILABLE", `the store directory ${directory} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  try {
    const damage = findDamage(file);
    if (damage === undefined) return;
    throw new ServiceError(
      "UNAVAILABLE",
      `the store directory ${directory} is damaged: data.mdb ${damage}; restore it from a backup`,
    );
  } finally {
    closeSync(file);
  }
}

/** Why a file operation failed, without the path that the message names anyway. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") return `it is read-only for this user (${code})`;
  if (code === "ENOSPC" || code === "EDQUOT") return `the disk is full (${code})`;
  if (code === "ENOTDIR" || code === "EEXIST") return `it is not a directory (${code})`;
  return error instanceof Error ? error.message : String(error);
}

function findDamage(file: number): string | undefined {
  const first = readMetaPage(file, 0);
  if (first.length === 0) return undefined; // created, and not written yet
  if (first.length < META_PAGE.bytes) return "is cut short";
  const wrong = findWrongFormat(first);
  if (wrong !== undefined) return wrong;

  const pageBytes = uint32(first, META_PAGE.pageSize);
  const second = readMetaPage(file, pageBytes);
  if (second.length < META_PAGE.bytes) return "is cut short";
  const newest = uint64(second, META_PAGE.transaction) > uint64(first, META_PAGE.transaction) ? second : first;
  // The size is read after the pages: a file that another process writes only grows.
  const fileBytes = BigInt(fstatSync(file).size);
  const roots = [uint64(newest, META_PAGE.freeRoot), uint64(newest, META_PAGE.mainRoot)];
  const isCut = roots.some((root) => root !== NO_PAGE && (root + 1n) * BigInt(pageBytes) > fileBytes);
  return isCut ? "is cut short" : findWrongFormat(second);
}

function findWrongFormat(page: Buffer): string | undefined {
  if (uint32(page, META_PAGE.magic) !== MAGIC) return "is not an LMDB file";
  const version = uint32(page, META_PAGE.version);
  return version === DATA_VERSION ? undefined : `has LMDB format ${version}, not ${DATA_VERSION}`;
}

function readMetaPage(file: number, position: number): Buffer {
  const page = Buffer.alloc(META_PAGE.bytes);
  return page.subarray(0, readSync(file, page, 0, page.length, position));
}

function uint32(page: Buffer, offset: number): number {
  return endianness() === "LE" ? page.readUInt32LE(offset) : page.readUInt32BE(offset);
}

function uint64(page: Buffer, offset: number): bigint {
  return endianness() === "LE" ? page.readBigUInt64LE(offset) : page.readBigUInt64BE(offset);
}
