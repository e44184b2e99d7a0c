import type { DescEnum } from "@bufbuild/protobuf";
import type { CataloguedError } from "./error-catalogue.js";
import { createTable } from "./markdown-table.js";
import type { Image, ReadComment } from "./read-image.js";

const VERIFICATION_ERRORS = "VerificationErrorCode";

/** `docs/errors.md` with its tables as they should be; the rest of the page is written by hand. */
export function fillErrorsPage(
  page: string,
  { service, commentOf }: Image,
  catalogue: readonly CataloguedError[],
): string {
  const codes = service.file.enums.find(({ name }) => name === VERIFICATION_ERRORS);
  if (codes === undefined) throw new Error(`${service.file.name}.proto does not define ${VERIFICATION_ERRORS}`);
  const filled = fill(page, "reasons", reasonTable(catalogue));
  return fill(filled, "verification-errors", codeTable(codes, commentOf));
}

function reasonTable(catalogue: readonly CataloguedError[]): string {
  return createTable(
    ["reason", "code", "HTTP", "when"],
    catalogue.map(({ reason, code, httpStatus, when }) => [`\`${reason}\``, `\`${code}\``, String(httpStatus), when]),
  );
}

function codeTable({ values }: DescEnum, commentOf: ReadComment): string {
  return createTable(
    ["`error_code`", "when"],
    values.map((value) => [`\`${value.name}\``, commentOf(value)]),
  );
}

/** Puts a table between its markers. */
function fill(page: string, name: string, table: string): string {
  const [start, end] = [new RegExp(`^<!-- ${name}: .* -->\n`, "m").exec(page), page.indexOf(`\n<!-- /${name} -->\n`)];
  if (start === null || end < start.index) throw new Error(`docs/errors.md has no place for the table of ${name}`);
  return page.slice(0, start.index) + start[0] + table + page.slice(end);
}
