/** `latchkey jwk generate` and `latchkey jwks`: the keys that tokens are signed with. */
import type { JsonObject } from "@bufbuild/protobuf";
import { Argument, type Command, Option } from "commander";
import { objectsOf } from "../answer-parts.js";
import type { CommandContext } from "../program.js";
import { runCommand } from "../run-command.js";
import { cellOf } from "./answer-cells.js";
import { type ClientOptions, withClientOptions } from "./options.js";
import type { Style } from "./style.js";
import { Table } from "./table.js";
import { withClient } from "./with-client.js";
import { writeAnswer } from "./write-answer.js";

const ALGORITHMS = { eddsa: "EdDSA", rsa: "RS256" } as const;
const COLUMNS = ["kid", "kty", "alg", "use"];

interface GenerateOptions {
  readonly bits: string;
  readonly out?: string;
}

export function addJwkCommands(program: Command, context: CommandContext): void {
  const jwk = program.command("jwk").description("keys that derived JWTs are signed with");
  jwk
    .command("generate")
    .description("make a private JWK Set with one key, for tokens.signing_jwks_urls")
    .addArgument(new Argument("<algorithm>", "kind of key").choices(Object.keys(ALGORITHMS)))
    .addOption(new Option("--bits <n>", "size of an RSA key").choices(["2048", "3072", "4096"]).default("3072"))
    .option("--out <file>", "a new file that only its owner can read; else standard output")
    .action((algorithm: keyof typeof ALGORITHMS, options: GenerateOptions) =>
      runCommand(context, async () => {
        const { generateSigningJwks } = await import("../../secrets/signing-keys.js");
        const jwks = generateSigningJwks(ALGORITHMS[algorithm], Number(options.bits));
        if (options.out === undefined) context.stdout.write(jwks);
        // Over nothing: a key that is in use would be gone for good.
        else await (await import("../../transfer/write-new-file.js")).writeNewFile(options.out, [jwks]);
        return undefined;
      }),
    );

  withClientOptions(program.command("jwks").description("show the public keys that derived JWTs verify with")).action(
    (options: ClientOptions) =>
      runCommand(context, async () => {
        const answer = await withClient(context, options, (client) => client.call("getJwks", {}));
        await writeAnswer(context, options.format, answer, formatJwks);
        return undefined;
      }),
  );
}

function formatJwks(answer: JsonObject, style: Style): string {
  return new Table(COLUMNS, style).format(
    objectsOf(answer, "keys").map((key) => COLUMNS.map((name) => cellOf(key, name))),
  );
}
