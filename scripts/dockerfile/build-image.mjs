import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, posix, relative } from "node:path";
import { createContextFilter, parseDockerfile, parseExecForm, parsePairs } from "./parse-dockerfile.mjs";
import { createRoot, inRoot } from "./root.mjs";

const RUN_TIMEOUT_MS = 300_000;
/** Of the environment, what a build gets: where packages come from. */
const PASSED_ON = /^(?:npm_config_\w+|NODE_EXTRA_CA_CERTS|(?:https?|no)_proxy)$/i;
/** They say something to a container engine, and do nothing in a build. */
const WITHOUT_EFFECT = ["EXPOSE", "STOPSIGNAL"];

/**
 * Runs the steps of the Dockerfile of a folder. Answers the last stage: its `root`, and what its instructions say (`env`,
 * `workdir`, `user`, `entrypoint`, `command`, `healthcheck`, `volumes`).
 */
export function buildImage(folder, scratch) {
  const isInContext = createContextFilter(readFileSync(join(folder, ".dockerignore"), "utf8"));
  const built = new Map();
  let image;
  for (const [index, stage] of parseDockerfile(readFileSync(join(folder, "Dockerfile"), "utf8")).entries()) {
    if (!stage.base.startsWith("node:20-")) throw new Error(`Dockerfile: this machine cannot stand for ${stage.base}`);
    image = { root: createRoot(scratch, `stage-${index}`), env: {}, workdir: "/", user: undefined, volumes: [] };
    for (const step of stage.steps) takeStep(image, step, { folder, isInContext, built });
    built.set(stage.name, image);
  }
  return image;
}

function takeStep(image, { keyword, text }, { folder, isInContext, built }) {
  console.log(`  ${keyword} ${text}`);
  if (keyword === "ENV") Object.assign(image.env, parsePairs(text));
  else if (keyword === "WORKDIR") changeFolder(image, text);
  else if (keyword === "USER") image.user = text;
  else if (keyword === "VOLUME") image.volumes.push(text);
  else if (keyword === "ENTRYPOINT") image.entrypoint = parseExecForm(text);
  else if (keyword === "CMD") image.command = parseExecForm(text);
  else if (keyword === "HEALTHCHECK") image.healthcheck = parseHealthcheck(text);
  else if (keyword === "COPY") copy(image, text, { folder, isInContext, built });
  else if (keyword === "RUN") run(image, text);
  else if (!WITHOUT_EFFECT.includes(keyword)) throw new Error(`Dockerfile: cannot do ${keyword}`);
}

function changeFolder(image, text) {
  image.workdir = posix.resolve(image.workdir, text);
  mkdirSync(join(image.root, image.workdir), { recursive: true });
}

function parseHealthcheck(text) {
  const [, command] = /^(?:--\S+ +)*CMD +(.*)$/.exec(text) ?? [];
  return parseExecForm(command ?? text);
}

/** Files from the context, or from a stage, to a folder (`./`) or under a new name. */
function copy({ root, workdir }, text, { folder, isInContext, built }) {
  const words = text.split(/ +/);
  const from = words[0].startsWith("--from=") ? words.shift().slice("--from=".length) : undefined;
  if (words.some((word) => word.startsWith("--"))) throw new Error(`Dockerfile: cannot do COPY ${text}`);
  const target = words.pop();
  const source = from === undefined ? folder : built.get(from)?.root;
  if (source === undefined) throw new Error(`Dockerfile: there is no stage ${from}`);
  for (const word of words) {
    const path = join(source, word);
    const isFolder = statSync(path).isDirectory();
    const to = join(root, posix.resolve(workdir, target), target.endsWith("/") && !isFolder ? basename(word) : "");
    const filter = (file) => statSync(file).isDirectory() || isInContext(relative(folder, file));
    if (from === undefined && !isFolder && !filter(path)) throw new Error(`.dockerignore leaves out ${word}`);
    cpSync(path, to, { recursive: true, verbatimSymlinks: true, ...(from === undefined && { filter }) });
  }
}

function run({ root, workdir, user, env }, text) {
  const passedOn = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)));
  const [program, ...words] = inRoot(root, { workdir, user }, ["/bin/sh", "-c", text]);
  execFileSync(program, words, {
    env: { PATH: process.env.PATH, HOME: "/root", ...passedOn, ...env },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: RUN_TIMEOUT_MS,
  });
}
