import { readFile } from "node:fs/promises";
import { CommandFailure } from "../command-failure.js";

/** RFC 6750 section 2.1. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/=-]+$/;

export interface TokenSources {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The bearer token: the option's, that of the file, or that of `LATCHKEY_TOKEN`; `undefined` without any of them.
 * @throws CommandFailure when it is none, without showing it
 */
export async function readToken({ token, tokenFile, env }: TokenSources): Promise<string | undefined> {
  if (token !== undefined) return checkToken(token, "--token");
  if (tokenFile !== undefined) return checkToken(await readTokenFile(tokenFile), tokenFile);
  const { LATCHKEY_TOKEN: variable = "" } = env;
  return variable === "" ? undefined : checkToken(variable, "LATCHKEY_TOKEN");
}

async function readTokenFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CommandFailure(`the token file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** What is no token could not be sent, and the error of a header shows its value. */
function checkToken(text: string, source: string): string {
  const token = text.trim();
  if (!BEARER_TOKEN.test(token)) throw new CommandFailure(`${source} holds no bearer token`);
  return token;
}
