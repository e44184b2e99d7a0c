import { createHash, createSecretKey } from "node:crypto";
import { z } from "zod";
import { parseByteSize } from "./byte-size.js";
import { parseDuration } from "./duration.js";
import { jwksUrlMistake } from "./jwks-url.js";
import { isNetwork } from "./network.js";
import { SecretUrl } from "./secret-url.js";

/** Who may do what over the admin API; each role holds the permissions of the one before it. */
export const ADMIN_ROLES = ["verifier", "reader", "admin"] as const;

/** Who says where a call comes from: the connection, or a header of a proxy. */
export const CLIENT_IP_SOURCES = [
  "remote_addr",
  "x_forwarded_for",
  "x_real_ip",
  "cf_connecting_ip",
  "true_client_ip",
] as const;

const MIN_SECRET_CHARACTERS = 32;
const MIN_DIFFERENT_CHARACTERS = 8;
const MIN_TOKEN_CHARACTERS = 16;

/** Text of at least one character. */
export function text() {
  return z.string(mustBe("text; put it in quotes")).min(1, mustBe("at least one character"));
}

export function textMatching(pattern: RegExp, expected: string) {
  return z.string(mustBe("text; put it in quotes")).regex(pattern, mustBe(expected));
}

export function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values, mustBe(`one of ${values.join(", ")}`));
}

export function yesOrNo() {
  return z.boolean(mustBe("true or false"));
}

export function integer(min: number, max: number) {
  const expected = mustBe(`a whole number from ${min} to ${max}`);
  return z.number(expected).int(expected).min(min, expected).max(max, expected);
}

/** A duration such as `1h30m`, from `min` to `max` (themselves so written). Its value is in milliseconds. */
export function duration(min: string, max: string) {
  return measure("a duration such as 500ms, 2s, 1h30m or 30d", parseDuration, min, max);
}

/** A size such as `64MiB`, from `min` to `max` (themselves so written). Its value is in bytes. */
export function byteSize(min: string, max: string) {
  return measure("a size such as 512KiB, 64MiB or 1GiB", parseByteSize, min, max);
}

/**
 * A server secret: text whose UTF-8 bytes are the key. It leaves here as a `KeyObject`, so that no log or dump of a
 * configuration can show it.
 */
export function secretText() {
  const long = mustBe(`at least ${MIN_SECRET_CHARACTERS} characters`);
  const random = mustBe(`random: it has fewer than ${MIN_DIFFERENT_CHARACTERS} different characters`);
  return z
    .string(mustBe("text; put it in quotes"))
    .refine((value) => [...value].length >= MIN_SECRET_CHARACTERS, { ...long, abort: true })
    .refine((value) => new Set(value).size >= MIN_DIFFERENT_CHARACTERS, random)
    .transform((value) => createSecretKey(Buffer.from(value, "utf8")));
}

/** A URL of a private JWK Set. It leaves here as a `SecretUrl`, which no log or dump of a configuration shows. */
export function jwksUrl() {
  return z.string(mustBe("text; put it in quotes")).transform((value, context) => {
    const mistake = jwksUrlMistake(value);
    if (mistake === undefined) return new SecretUrl(value);
    context.addIssue(mistake);
    return z.NEVER;
  });
}

/** An IP address, or a network in CIDR notation. */
export function network() {
  return z
    .string(mustBe("text; put it in quotes"))
    .refine(isNetwork, mustBe("an IP address or a network such as 10.0.0.0/8; not /0, and IPv4 not written as IPv6"));
}

/** One admin token. Its text is hashed here and forgotten. */
export function adminToken() {
  const fields = {
    name: textMatching(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 characters of A-Z, a-z, 0-9, '.', '_' and '-'"),
    token: textMatching(/^[A-Za-z0-9._~+/=-]*$/, "characters that a bearer token can have: A-Z, a-z, 0-9 and ._~+/=-")
      .min(MIN_TOKEN_CHARACTERS, mustBe(`at least ${MIN_TOKEN_CHARACTERS} characters`))
      .optional(),
    token_sha256: textMatching(/^[0-9A-Fa-f]{64}$/, "64 hexadecimal characters").optional(),
    role: oneOf(...ADMIN_ROLES),
  };
  return z
    .strictObject(fields, mustBe("an object with name, token or token_sha256, and role"))
    .transform((value, context) => {
      const { name, role, token, token_sha256 } = value;
      if ((token === undefined) === (token_sha256 === undefined)) {
        context.addIssue("must have either token or token_sha256");
        return z.NEVER;
      }
      const sha256 =
        token === undefined ? Buffer.from(token_sha256 ?? "", "hex") : createHash("sha256").update(token).digest();
      return { name, role, sha256 };
    });
}

export function listOf<T extends z.ZodType>(element: T) {
  return z.array(element, mustBe("a list"));
}

/** A number with a unit, from `min` to `max`. Its value is what `parse` makes of it. */
function measure(form: string, parse: (text: string) => number | undefined, min: string, max: string) {
  const least = parse(min) ?? Number.NaN;
  const most = parse(max) ?? Number.NaN;
  return z.string(mustBe(form)).transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined && parsed >= least && parsed <= most) return parsed;
    context.addIssue(parsed === undefined ? `must be ${form}` : `must be from ${min} to ${max}`);
    return z.NEVER;
  });
}

/** Every message says what is expected and none repeats the value, which may be a secret. */
function mustBe(expected: string) {
  return {
    error: (issue: z.core.$ZodRawIssue) => {
      if (issue.code === "unrecognized_keys") return `has an unknown field; must be ${expected}`;
      return issue.input === undefined ? "is missing" : `must be ${expected}`;
    },
  };
}
