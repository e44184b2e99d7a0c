const percentEscape = /%[0-9A-Fa-f]{2}/g;
const unreserved = /[A-Za-z0-9\-._~]/;

/**
 * Writes escapes in upper case and resolves those of unreserved characters, so that equivalent texts are equal
 * (RFC 3986 section 6.2.2). Escapes must be well-formed.
 */
export function normalizePercentEncoding(text: string): string {
  return text.replace(percentEscape, (pair) => {
    const character = String.fromCharCode(Number.parseInt(pair.slice(1), 16));
    return unreserved.test(character) ? character : pair.toUpperCase();
  });
}

/**
 * Decodes what a path variable captured, as http.proto asks: one segment wholly; several segments except "%2F", so that
 * a slash inside a segment stays different from one between segments.
 *
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto "Path template syntax"
 * @throws URIError when an escape is malformed, or the bytes are not UTF-8
 */
export function decodePathVariable(text: string, isMultiSegment: boolean): string {
  if (!isMultiSegment) return decodeURIComponent(text);
  return text
    .split(/%2f/i)
    .map((part) => decodeURIComponent(part))
    .join("%2F");
}
