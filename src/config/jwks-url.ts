import { fileURLToPath } from "node:url";

const FORMS = "must be file:///path, https://host/path or base64://<JWK Set in base64>";

const FILE = /^file:\/\/\//i;
const HTTPS = /^https:\/\/[^/?#\\]/i;
const CLEARTEXT = /^http:/i;
/** Of either alphabet (RFC 4648 sections 4 and 5), padded or not. */
const BASE64 = /^base64:\/\/[A-Za-z0-9+/_-]+={0,2}$/i;

/**
 * What is wrong with a URL of a private JWK Set; `undefined` when nothing is. The answer never repeats the URL, for it
 * may hold the keys themselves.
 */
export function jwksUrlMistake(text: string): string | undefined {
  if (BASE64.test(text)) return undefined;
  if (CLEARTEXT.test(text)) return "must not be http://, which shows private keys to the network; use https://";
  if (FILE.test(text)) return isFileUrl(text) ? undefined : FORMS;
  if (!HTTPS.test(text) || !URL.canParse(text)) return FORMS;
  const { username, password } = new URL(text);
  return username === "" && password === "" ? undefined : "must not hold a user name or a password";
}

function isFileUrl(text: string): boolean {
  try {
    return fileURLToPath(text) !== "";
  } catch {
    // A URL that names no path, such as one with %2F in it. The error quotes the URL.
    return false;
  }
}
