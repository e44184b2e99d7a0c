import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Of this machine, for the image's Debian with Node. What a stage writes goes elsewhere. */
const SYSTEM_FOLDERS = ["bin", "etc", "lib", "lib64", "opt", "sbin", "usr"];
const OWN_FOLDERS = ["proc", "dev", "root", "run", "tmp"];
/** What a container has of /dev, but for /dev/shm: nothing here may be written. */
const DEVICES = ["null", "zero", "full", "random", "urandom"];
const STICKY_FOR_ALL = 0o1777;

export function mount(...words) {
  execFileSync("mount", words, { stdio: ["ignore", "inherit", "inherit"] });
}

/** Mounts a folder at another place too, and there for reading only. */
export function bindReadOnly(folder, place) {
  mount("--bind", folder, place);
  mount("-o", "remount,bind,ro", place);
}

/** A new root directory with the machine's programs, which it cannot change. The stages share npm's cache. */
export function createRoot(scratch, name) {
  const root = join(scratch, name);
  const inside = (...parts) => join(root, ...parts);
  const cache = join(scratch, "npm-cache");
  mkdirSync(root);
  mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", root);
  for (const folder of [cache, ...OWN_FOLDERS.map((own) => inside(own)), inside("root", ".npm")]) {
    mkdirSync(folder, { recursive: true });
  }
  chmodSync(inside("tmp"), STICKY_FOR_ALL);
  for (const folder of SYSTEM_FOLDERS.filter((system) => existsSync(`/${system}`))) {
    if (lstatSync(`/${folder}`).isSymbolicLink()) symlinkSync(readlinkSync(`/${folder}`), inside(folder));
    else bindReadOnly(`/${folder}`, emptyFolder(inside(folder)));
  }
  for (const device of DEVICES) {
    writeFileSync(inside("dev", device), "");
    mount("--bind", `/dev/${device}`, inside("dev", device));
  }
  mount("-t", "proc", "proc", inside("proc"));
  mount("--bind", cache, inside("root", ".npm"));
  return root;
}

function emptyFolder(path) {
  mkdirSync(path);
  return path;
}

/** From now on nothing in the root can be written, but for what is mounted in it later. */
export function makeReadOnly(root) {
  execFileSync("umount", [join(root, "root", ".npm")]);
  mount("-o", "remount,ro", root);
}

/**
 * The words that run a command in a root, as a user and with no more than a container has: no capability, and no way to get one.
 * Without a user, as root.
 */
export function inRoot(root, { workdir, user }, words) {
  const asUser = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--clear-groups"];
  const [uid, gid] = user?.split(":") ?? [];
  const drop = user === undefined ? [] : [...asUser, "--reuid", uid, "--regid", gid];
  return ["chroot", root, ...drop, "env", "-C", workdir, ...words];
}
