import {
  type ComparableNode,
  FILTER_OPERATORS,
  type FilterNode,
  type FilterOperator,
  type ListNode,
  type MemberNode,
  type MemberPart,
  type ParsedFilter,
} from "./filter-ast.js";
import { filterError, invalidFilter, named } from "./filter-error.js";
import { type FilterToken, scanFilter } from "./filter-lexer.js";

/** As UTF-8. */
const MAX_FILTER_BYTES = 4096;
/** Restrictions, and literals and functions that stand alone. */
const MAX_TERMS = 64;
/** Parentheses within parentheses. */
const MAX_DEPTH = 32;

const STARTS_WITH_DIGIT = /^\d/;
const OPERATORS: ReadonlySet<string> = new Set(FILTER_OPERATORS);

/**
 * Parses the filter language of AIP-160, all of it:
 *
 *     filter      = [ expression ]
 *     expression  = sequence { WS "AND" WS sequence }
 *     sequence    = factor { WS factor }
 *     factor      = term { WS "OR" WS term }
 *     term        = [ "NOT" WS | "-" ] simple
 *     simple      = restriction | composite
 *     restriction = comparable [ comparator arg ]
 *     comparable  = member | function
 *     member      = value { "." field }
 *     function    = name { "." name } "(" [ arg { "," arg } ] ")"
 *     comparator  = "<=" | "<" | ">=" | ">" | "!=" | "=" | ":"
 *     composite   = "(" expression ")"
 *     arg         = comparable | composite | "-" number
 *     value       = TEXT | STRING        field = value | keyword        name = TEXT | keyword
 *
 * There is no white space around a dot or before a function's parenthesis. The EBNF has no negative numbers but in its
 * examples: an arg may be one, and a bare `-30` is one.
 *
 * At most 4 KiB, 64 terms and 32 parentheses within each other. Takes time in proportion to the text. Throws INVALID_FILTER.
 *
 * @see https://google.aip.dev/160
 * @see https://google.aip.dev/assets/misc/ebnf-filtering.txt
 */
export function parseFilterText(text: string): ParsedFilter {
  if (Buffer.byteLength(text) > MAX_FILTER_BYTES) throw invalidFilter(`must be at most ${MAX_FILTER_BYTES} bytes`);
  const parser = new Parser(text, scanFilter(text));
  return parser.isAtEnd() ? { text } : { text, expression: parser.parseFilter() };
}

class Parser {
  readonly #filter: string;
  readonly #tokens: readonly FilterToken[];
  /** Behind every token: the scan put it there. */
  readonly #end: FilterToken;
  #index = 0;
  #terms = 0;
  #depth = 0;

  constructor(filter: string, tokens: readonly FilterToken[]) {
    this.#filter = filter;
    this.#tokens = tokens;
    const end = tokens.at(-1);
    if (end?.kind !== "end") throw new TypeError("tokens without an end");
    this.#end = end;
  }

  isAtEnd(): boolean {
    return this.#peek().kind === "end";
  }

  parseFilter(): FilterNode {
    const expression = this.#parseExpression();
    if (!this.isAtEnd()) throw this.#unexpected();
    return expression;
  }

  #parseExpression(): FilterNode {
    return this.#parseList("and", "AND", () => this.#parseSequence());
  }

  #parseSequence(): FilterNode {
    const first = this.#parseFactor();
    const terms = [first];
    while (this.#startsFactor()) {
      if (!this.#peek().isSpaced) throw this.#fail('expected a space, "AND" or "OR"');
      terms.push(this.#parseFactor());
    }
    return listNode("sequence", first, terms);
  }

  #parseFactor(): FilterNode {
    return this.#parseList("or", "OR", () => this.#parseTerm());
  }

  #parseList(kind: "and" | "or", keyword: "AND" | "OR", parseItem: () => FilterNode): FilterNode {
    const first = parseItem();
    const terms = [first];
    while (this.#isConnective(keyword)) {
      this.#expectSpace();
      this.#next();
      this.#expectSpace();
      terms.push(parseItem());
    }
    return listNode(kind, first, terms);
  }

  #parseTerm(): FilterNode {
    const token = this.#peek();
    const isMinus = token.kind === "-";
    if (!isMinus && !this.#isConnective("NOT")) return this.#parseSimple();
    this.#next();
    const negated = this.#peek();
    if (negated.kind === "-" || this.#isConnective("NOT")) throw this.#fail("expected a term; it is negated already");
    if (isMinus && negated.isSpaced) throw this.#fail('expected a term right after "-"', token);
    if (!isMinus) this.#expectSpace();
    const term = this.#parseSimple();
    if (isMinus && negated.kind === "text" && isNumeral(term)) return withSign(term, token.at);
    return { kind: "not", at: token.at, term };
  }

  #parseSimple(): FilterNode {
    if (this.#peek().kind === "(") {
      const composite = this.#parseComposite();
      if (this.#isComparator()) throw this.#fail("a comparison begins with a field, not with parentheses");
      return composite;
    }
    if (++this.#terms > MAX_TERMS) throw this.#fail(`more than ${MAX_TERMS} terms`);
    const left = this.#parseComparable("a field name");
    const comparator = this.#peek();
    if (!isOperator(comparator.kind)) return left;
    this.#next();
    const right = this.#parseArg("a value");
    if (this.#isComparator()) {
      throw this.#fail(`a second comparison; a value that holds ${named(this.#peek().text)} goes in quotes`);
    }
    const { kind: operator, at: operatorAt } = comparator;
    return { kind: "restriction", at: left.at, left, operator, operatorAt, right };
  }

  #parseComposite(): FilterNode {
    this.#enter();
    if (this.#peek().kind === ")") throw this.#fail('expected a term between "(" and ")"');
    const expression = this.#parseExpression();
    this.#leave();
    return expression;
  }

  #parseArg(expected: string): FilterNode {
    const token = this.#peek();
    if (token.kind === "(") return this.#parseComposite();
    if (token.kind !== "-") return this.#parseComparable(expected);
    this.#next();
    const number = this.#peek();
    if (number.kind !== "text" || number.isSpaced || !STARTS_WITH_DIGIT.test(number.text)) {
      throw this.#fail('a value that begins with "-" is a number, or goes in quotes', token);
    }
    const comparable = this.#parseComparable(expected);
    if (comparable.kind === "function") throw this.#fail("a function cannot be negated here", token);
    return withSign(comparable, token.at);
  }

  #parseComparable(expected: string): ComparableNode {
    const first = this.#peek();
    const part = partFromToken(first);
    if (part === undefined) throw this.#fail(`expected ${expected}`);
    this.#next();
    const parts: [MemberPart, ...MemberPart[]] = [part];
    while (this.#peek().kind === "." && !this.#peek().isSpaced) {
      this.#next();
      const next = partFromToken(this.#peek());
      if (next === undefined || this.#peek().isSpaced) throw this.#fail('expected a name right after "."');
      parts.push(next);
      this.#next();
    }
    const { at } = first;
    if (this.#peek().kind === "(" && !this.#peek().isSpaced) {
      if (parts.some(({ isQuoted }) => isQuoted)) throw this.#fail("the name of a function has no quotes", first);
      const name = parts.map(({ text }) => text).join(".");
      return { kind: "function", at, name, args: this.#parseArgs(name) };
    }
    if (first.kind !== "text" && first.kind !== "string") {
      throw this.#fail(`expected ${expected}; the text ${named(first.text)} goes in quotes`, first);
    }
    return { kind: "member", at, parts };
  }

  #parseArgs(name: string): readonly FilterNode[] {
    this.#enter();
    const args: FilterNode[] = [];
    if (this.#peek().kind !== ")") {
      args.push(this.#parseArg("an argument"));
      while (this.#peek().kind === ",") {
        this.#next();
        args.push(this.#parseArg("an argument"));
      }
    }
    const { kind, text } = this.#peek();
    if (kind !== ")" && kind !== "end") {
      throw this.#fail(`unexpected ${named(text)} in the arguments of ${named(name)}${operatorHint(name)}`);
    }
    this.#leave();
    return args;
  }

  /** Takes the "(". */
  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.#fail(`more than ${MAX_DEPTH} parentheses within each other`);
    this.#next();
  }

  #leave(): void {
    if (this.#peek().kind !== ")") throw this.#unexpected();
    this.#depth--;
    this.#next();
  }

  /** A keyword right before a parenthesis or a dot is the name of a function. */
  #isConnective(keyword: "AND" | "OR" | "NOT"): boolean {
    if (this.#peek().kind !== keyword) return false;
    const after = this.#tokens[this.#index + 1] ?? this.#end;
    return after.isSpaced || (after.kind !== "(" && after.kind !== ".");
  }

  #startsFactor(): boolean {
    const { kind } = this.#peek();
    if (kind === "AND" || kind === "OR") return !this.#isConnective(kind);
    return kind === "text" || kind === "string" || kind === "-" || kind === "(" || kind === "NOT";
  }

  #isComparator(): boolean {
    return isOperator(this.#peek().kind);
  }

  #expectSpace(): void {
    if (!this.#peek().isSpaced) throw this.#fail("expected a space");
  }

  #peek(): FilterToken {
    return this.#tokens[this.#index] ?? this.#end;
  }

  #next(): void {
    this.#index++;
  }

  #unexpected(): Error {
    const { kind, text } = this.#peek();
    if (kind === "end") return this.#fail('expected ")"');
    if (kind === ")") return this.#fail('")" without "("');
    return this.#fail(`unexpected ${named(text)}`);
  }

  #fail(problem: string, token = this.#peek()): Error {
    return filterError(this.#filter, token.at, problem);
  }
}

function isOperator(kind: FilterToken["kind"]): kind is FilterOperator {
  return OPERATORS.has(kind);
}

function listNode(kind: ListNode["kind"], first: FilterNode, terms: readonly FilterNode[]): FilterNode {
  return terms.length === 1 ? first : { kind, at: first.at, terms };
}

/** Keywords too: what may not be one is the caller's business. */
function partFromToken({ kind, text, at, stars }: FilterToken): MemberPart | undefined {
  if (kind === "string") return { at, text, isQuoted: true, stars };
  if (kind !== "text" && kind !== "AND" && kind !== "OR" && kind !== "NOT") return undefined;
  return { at, text, isQuoted: false, stars };
}

function isNumeral(node: FilterNode): node is MemberNode {
  return node.kind === "member" && node.parts.every(({ text, isQuoted }) => !isQuoted && STARTS_WITH_DIGIT.test(text));
}

/** For an error about a function that was meant to be an operator. */
export function operatorHint(functionName: string): string {
  const isKeyword = functionName === "AND" || functionName === "OR" || functionName === "NOT";
  return isKeyword ? `; after ${functionName} as an operator comes a space` : "";
}

function withSign({ parts: [first, ...rest] }: MemberNode, at: number): MemberNode {
  return { kind: "member", at, parts: [{ ...first, at, text: `-${first.text}` }, ...rest] };
}
