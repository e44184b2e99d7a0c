import { z } from "zod";

/** How a setting is written in an environment variable: as it is, comma-separated, or as JSON. */
export type SettingKind = "text" | "number" | "boolean" | "list" | "objects";

/** The kind of a setting, read off its schema. */
export function settingKind(schema: z.core.$ZodType): SettingKind {
  const inner = writtenType(schema);
  if (inner instanceof z.ZodArray) return writtenType(inner.element) instanceof z.ZodObject ? "objects" : "list";
  if (inner instanceof z.ZodNumber) return "number";
  return inner instanceof z.ZodBoolean ? "boolean" : "text";
}

/** A setting's default as a user would write it; `undefined` when there is none. */
export function settingDefault(schema: z.core.$ZodType): unknown {
  return schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;
}

/** `LATCHKEY_SERVER_TLS_CERT_FILE` for `server.tls.cert_file`. */
export function environmentName(path: string): string {
  return `LATCHKEY_${path.toUpperCase().replaceAll(".", "_")}`;
}

/** The type that is written, below defaults and transformations. */
function writtenType(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return writtenType(schema.def.innerType);
  if (schema instanceof z.ZodPipe) return writtenType(schema.def.in);
  return schema;
}
