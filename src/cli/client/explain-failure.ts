import { CommandFailure } from "../command-failure.js";
import { EXIT_CODE } from "../exit-code.js";
import { asCallFailure, type CallFailure } from "./client.js";

/** What to do about a refusal, by its reason, where that is not plain. */
const ADVICE: Readonly<Record<string, (hasToken: boolean) => string>> = {
  UNAUTHENTICATED: (hasToken) =>
    hasToken
      ? "the token was refused: set LATCHKEY_TOKEN, or --token-file, to one that this service knows"
      : "no token was sent: set LATCHKEY_TOKEN, or --token-file FILE (a service keeps its own in secrets/admin-token of its data directory)",
  FORBIDDEN: () => "another token may: set LATCHKEY_TOKEN or --token-file",
};

/** A failed call as people are told of it: the service's message, or each field at fault on a line of its own. */
export function explainFailure(error: unknown, hasToken: boolean): unknown {
  const failure = asCallFailure(error);
  if (failure === undefined) return error;
  const { message, fields, reason, isUnreachable } = failure;
  const advice = ADVICE[reason]?.(hasToken);
  const lines = [
    isSaidByFields(failure) ? "the request is refused:" : message,
    ...fields.map(({ field, description }) => `  ${field}: ${description}`),
    ...(advice === undefined ? [] : [`  ${advice}`]),
  ];
  return new CommandFailure(lines.join("\n"), isUnreachable ? EXIT_CODE.unreachable : EXIT_CODE.failed);
}

/** A message that only repeats the fields. */
function isSaidByFields({ message, fields }: CallFailure): boolean {
  return fields.length > 0 && message === fields.map(({ field, description }) => `${field}: ${description}`).join("; ");
}
