/** Text of others on its way to a terminal: what would move the cursor, recolour it or turn the direction of the text is spelled out. */

const UNSHOWABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const HEX = 16;
const UNIT_DIGITS = 4;

/** On one line: ESC is `\u{1b}`. */
export function showable(text: string): string {
  return text.replace(UNSHOWABLE, (character) => `\\u{${hexOf(character)}}`);
}

/** Of several lines, which stay apart. */
export function showableLines(text: string): string {
  return text.split("\n").map(showable).join("\n");
}

export function isShowable(text: string): boolean {
  return text.search(UNSHOWABLE) === -1;
}

/** JSON, or YAML that has such text in double quotes only: what it says stays the same. */
export function showableJson(text: string): string {
  return text.replace(UNSHOWABLE, (character) =>
    character === "\n" ? character : `\\u${hexOf(character).padStart(UNIT_DIGITS, "0")}`,
  );
}

/** All of them are code units. */
function hexOf(character: string): string {
  return character.charCodeAt(0).toString(HEX);
}
