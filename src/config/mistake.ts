/** One thing that is wrong with a configuration. Never holds a value, which may be a secret. */
export interface Mistake {
  /** YAML path such as `server.port` or `admin.tokens[1].role`; absent when a whole file is at fault. */
  readonly path?: string;
  /** Where the value came from: `latchkey.yaml:3` or `LATCHKEY_SERVER_PORT`; absent when it is not set anywhere. */
  readonly source?: string;
  readonly message: string;
}

/** `server.port (LATCHKEY_SERVER_PORT): must be a whole number from 0 to 65535`. */
export function formatMistake({ path, source, message }: Mistake): string {
  if (path === undefined) return source === undefined ? message : `${source}: ${message}`;
  return source === undefined ? `${path}: ${message}` : `${path} (${source}): ${message}`;
}
