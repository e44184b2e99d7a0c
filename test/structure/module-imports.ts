import { posix } from "node:path";
import { parseSync } from "@swc/core";

/** What a module takes from elsewhere. */
export interface ModuleImport {
  /** A file of the repository such as `src/errors.ts`, or the name of a module as it is written. */
  readonly target: string;
  /** Nothing of it is left in the JavaScript. */
  readonly isTypeOnly: boolean;
}

export interface ModuleFacts {
  readonly imports: readonly ModuleImport[];
  readonly usesProcessEnv: boolean;
}

/** A node of the syntax tree; only what is looked at here. */
interface Node {
  readonly type?: string;
  readonly [property: string]: unknown;
}

/**
 * Reads every import of a TypeScript module: `import`, `export ... from`, `import()` in code and in types. `file` is
 * its path in the repository. Throws for an `import()` whose module is not a literal.
 */
export function readModule(file: string, source: string): ModuleFacts {
  const found: ModuleImport[] = [];
  let usesProcessEnv = false;
  visit(parseSync(source, { syntax: "typescript", target: "es2022" }) as unknown as Node);
  return { imports: found, usesProcessEnv };

  function visit(node: Node): void {
    if (isImportCall(node)) add(node.arguments, false);
    if (node.type === "TsImportType") add(node.argument, true);
    if (node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration") add(node.source, isTypeOnly(node));
    if (node.type === "ExportNamedDeclaration" && node.source) add(node.source, isTypeOnly(node));
    if (isProcessEnv(node)) usesProcessEnv = true;
    for (const child of Object.values(node).flat()) if (isNode(child)) visit(child);
  }

  function add(argument: unknown, isTypeOnly: boolean): void {
    const [first] = [argument].flat() as [Node & { readonly expression?: Node }];
    const literal = first.expression ?? first;
    if (literal.type !== "StringLiteral") throw new Error(`${file} imports a module that is not a literal`);
    found.push({ target: resolve(file, String(literal.value)), isTypeOnly });
  }
}

function resolve(file: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".ts");
}

function isTypeOnly(node: Node): boolean {
  const specifiers = (node.specifiers ?? []) as readonly Node[];
  return node.typeOnly === true || (specifiers.length > 0 && specifiers.every(({ isTypeOnly }) => isTypeOnly === true));
}

function isImportCall({ type, callee }: Node): boolean {
  return type === "CallExpression" && isNode(callee) && callee.type === "Import";
}

/** `process.env`, `process["env"]`, `const { env } = process`. */
function isProcessEnv({ type, object, property, id, init }: Node): boolean {
  if (type === "MemberExpression") return isNamed(object, "process") && JSON.stringify(property).includes('"env"');
  return type === "VariableDeclarator" && isNamed(init, "process") && JSON.stringify(id).includes('"value":"env"');
}

function isNamed(node: unknown, name: string): boolean {
  return isNode(node) && node.type === "Identifier" && node.value === name;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
