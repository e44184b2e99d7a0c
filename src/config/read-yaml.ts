import { readFileSync } from "node:fs";
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { failureCode } from "./failure-code.js";
import type { Mistake } from "./mistake.js";
import type { RawSetting, RawSettings } from "./raw-settings.js";
import { type SettingPath, settingPaths } from "./settings.js";

/** Reads the settings of a YAML 1.2 file. A key that is no setting, or twice there, is a mistake. */
export function readYaml(file: string): RawSettings {
  const content = readText(file);
  if (content.text === undefined) return { values: new Map(), mistakes: [{ message: content.failure }] };
  const lines = new LineCounter();
  const document = parseDocument(content.text, { lineCounter: lines, prettyErrors: false });
  const reading = new Reading(document, (offset) => `${file}:${lines.linePos(offset).line}`);
  if (document.errors.length > 0) {
    // The parser's own messages quote the file, which may hold secrets: its code must do.
    for (const { code, pos } of document.errors) reading.mistake(pos[0], `is not valid YAML (${code})`);
  } else {
    reading.group(document.contents, "");
  }
  return reading;
}

/** One walk over a document. */
class Reading implements RawSettings {
  readonly values = new Map<SettingPath, RawSetting>();
  readonly mistakes: Mistake[] = [];
  readonly #document: Document;
  readonly #place: (offset: number) => string;

  constructor(document: Document, place: (offset: number) => string) {
    this.#document = document;
    this.#place = place;
  }

  mistake(offset: number, message: string, path?: string): void {
    this.mistakes.push({ source: this.#place(offset), message, ...(path === undefined ? {} : { path }) });
  }

  /** `prefix` is the group's path and a dot, or nothing for the whole document. */
  group(node: unknown, prefix: string): void {
    if (node === null || (isScalar(node) && node.value === null)) return;
    if (!isMap<Node, Node | null>(node)) {
      const what = prefix === "" ? undefined : prefix.slice(0, -1);
      this.mistake(startOf(node), "must be a map of settings", what);
      return;
    }
    for (const { key, value } of node.items) {
      const path = `${prefix}${isScalar(key) ? String(key.value) : "?"}`;
      if (isSettingPath(path)) this.#setting(path, value, startOf(key));
      else if (settingPaths.some((known) => known.startsWith(`${path}.`))) this.group(value, `${path}.`);
      else this.mistake(startOf(key), "is no setting", path);
    }
  }

  #setting(path: SettingPath, node: Node | null, offset: number): void {
    const value: unknown = node === null ? null : node.toJS(this.#document);
    if (value === null) this.mistake(offset, "has no value; give one or remove the line", path);
    else this.values.set(path, { value, source: this.#place(offset) });
  }
}

function isSettingPath(path: string): path is SettingPath {
  return settingPaths.some((known) => known === path);
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function readText(file: string): { text: string; failure?: undefined } | { text?: undefined; failure: string } {
  try {
    return { text: readFileSync(file, "utf8") };
  } catch (error) {
    return { failure: `the configuration file ${file} cannot be read (${failureCode(error)})` };
  }
}
