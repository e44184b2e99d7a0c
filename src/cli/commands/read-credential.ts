import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { CommandFailure } from "../command-failure.js";
import { EXIT_CODE } from "../exit-code.js";
import type { CommandContext } from "../program.js";

export interface CredentialOptions {
  readonly credentialFile?: string;
}

const STDIN = "-";
/** More than the longest credential, 16 KiB. */
const MAX_BYTES = 65_536;

/** The argument and the option of a command that is given a credential. */
export function withCredential(command: Command): Command {
  return command
    .argument(`[${STDIN}]`, "reads the credential from standard input, which is the default without a terminal")
    .option("--credential-file <file>", "file that holds the credential");
}

/**
 * The credential: from the file; from standard input up to its end; or typed at a terminal, which does not show it. A newline
 * at its end does not count. It is never a word of the command line, where other users see it and the shell keeps it.
 * @throws CommandFailure
 */
export async function readCredential(
  word: string | undefined,
  { credentialFile }: CredentialOptions,
  context: CommandContext,
): Promise<string> {
  if (word !== undefined && (word !== STDIN || credentialFile !== undefined)) {
    const message =
      word === STDIN
        ? "- and --credential-file are two places for one credential"
        : "a credential is no word of the command line, where others can see it: pipe it in, or use --credential-file";
    throw new CommandFailure(message, EXIT_CODE.usage);
  }
  const stdin = credentialFile === undefined ? context.stdin() : undefined;
  const text = stdin === undefined ? await readCredentialFile(credentialFile ?? "") : await readInput(stdin, word);
  const credential = text.replace(/\r?\n$/, "");
  if (credential === "") throw new CommandFailure("the credential is empty");
  return credential;

  function readInput(input: ReturnType<CommandContext["stdin"]>, asked: string | undefined): Promise<string> {
    return asked === undefined && input.isTTY === true ? prompt(context) : readToEnd(input);
  }
}

async function readCredentialFile(file: string): Promise<string> {
  try {
    return decode(await readFile(file));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function readToEnd(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MAX_BYTES) break;
  }
  return decode(Buffer.concat(chunks));
}

/** Bytes that are no UTF-8 would become another credential. */
function decode(bytes: Buffer): string {
  if (bytes.length > MAX_BYTES) throw new CommandFailure(`the credential is longer than ${MAX_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CommandFailure("the credential is not UTF-8");
  }
}

/** Reads a line at the terminal. What is typed would be written by readline, to a stream that drops it. */
function prompt({ stdin, stderr }: CommandContext): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: stdin(), output: nowhere, terminal: true, historySize: 0 });
  stderr.write("Credential (not shown): ");
  return new Promise<string>((resolve, reject) => {
    terminal.once("line", resolve);
    // Also by Ctrl+C and Ctrl+D; after a line the promise is settled.
    terminal.once("close", () => reject(new CommandFailure("no credential was given")));
  }).finally(() => {
    terminal.close();
    stderr.write("\n");
  });
}
