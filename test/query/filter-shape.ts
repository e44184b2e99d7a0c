import type { FilterNode } from "../../src/query/filter-ast.js";

/** A filter's tree as the vectors write it: `["equals", ["text", "a"], ["int", 1]]`. */
export type FilterShape = readonly [string, ...(FilterShape | string | number)[]];

const OPERATOR_NAMES = {
  "=": "equals",
  "!=": "notequals",
  "<": "lessthan",
  "<=": "lessequals",
  ">": "greaterthan",
  ">=": "greaterequals",
  ":": "has",
} as const;
const INTEGER = /^-?\d+$/;
const FLOAT = /^-?\d+\.\d+$/;

export function filterShape(node: FilterNode): FilterShape {
  switch (node.kind) {
    case "sequence":
    case "and":
    case "or":
      return [node.kind, ...node.terms.map(filterShape)];
    case "not":
      return ["not", filterShape(node.term)];
    case "function":
      return ["function", node.name, ...node.args.map(filterShape)];
    case "restriction": {
      const right = filterShape(node.right);
      // The vectors take what is after a colon for a string.
      const value: FilterShape = node.operator === ":" && right[0] === "text" ? ["string", ...right.slice(1)] : right;
      return [OPERATOR_NAMES[node.operator], filterShape(node.left), value];
    }
    case "member": {
      const [first, ...rest] = node.parts;
      // Here a number is a member until its type is known.
      const text = node.parts.map((part) => part.text).join(".");
      if (!first.isQuoted && INTEGER.test(text)) return ["int", Number(text)];
      if (!first.isQuoted && FLOAT.test(text)) return ["float", Number(text)];
      const value: FilterShape = [first.isQuoted ? "string" : "text", first.text];
      return rest.reduce<FilterShape>((shape, part) => ["member", shape, part.text], value);
    }
  }
}
