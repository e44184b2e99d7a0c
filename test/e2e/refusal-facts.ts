import type { RefusalFacts } from "./api.js";
import { readDetails } from "./clients/error-details.js";
import { type HttpReply, readRefusal } from "./clients/rest-client.js";

/** Of REST's error. */
export function restFacts(reply: HttpReply): RefusalFacts {
  const { code, reason, message, fields } = readRefusal(reply);
  return { code, reason, message, fields };
}

/** Of Connect's error of a unary call. */
export function connectFacts(text: string): RefusalFacts {
  const { code, message, details } = JSON.parse(text) as {
    code: string;
    message: string;
    details: { type: string; value: string }[];
  };
  const found = details.map(({ type, value }) => ({ type, value: Buffer.from(value, "base64") }));
  return { code: code.toUpperCase(), message, ...readDetails(found) };
}
