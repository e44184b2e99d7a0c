import { invalidArgument } from "../errors.js";
import type { PathTemplate, TemplateVariable } from "./path-template.js";
import { decodePathVariable, normalizePercentEncoding } from "./percent-encoding.js";

export interface Route<T> {
  /** In upper case; `*` stands for every method (a `custom` rule). */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** What the router answers for this route. */
  readonly target: T;
}

/**
 * `route`: the target, and the decoded values of the template's variables in the template's order. `method_not_allowed`:
 * the path is known, for other methods, which are listed as `Allow` wants them.
 */
export type RouteMatch<T> =
  | { readonly kind: "route"; readonly target: T; readonly variables: readonly string[] }
  | { readonly kind: "method_not_allowed"; readonly allow: readonly string[] };

export interface Router<T> {
  /**
   * Finds the route for a request. `path` is as on the wire: percent-encoded and without the query.
   *
   * Literals beat `*`, which beats `**`, segment by segment from the left. A text after the last colon is a verb when some
   * template with that verb fits the rest of the path, and then only such templates count; otherwise it belongs to the
   * last segment, so that ids may hold colons.
   *
   * @returns nothing when no template fits the path
   * @throws ServiceError INVALID_ARGUMENT when the path's percent-encoding is malformed
   */
  match(httpMethod: string, path: string): RouteMatch<T> | undefined;
}

type MethodTable<T> = Map<string, Route<T>>;

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  wildcard: Node<T> | undefined;
  rest: Node<T> | undefined;
  /** By verb, then by HTTP method. */
  readonly verbs: Map<string, MethodTable<T>>;
}

/** No template's verb is empty, so that the last segment of "/keys:" is "keys:". */
const noVerb = "";
const plainPath = /^[!-$&-~]*$/;
const printablePath = /^[!-~]*$/;
const noVariables: readonly string[] = [];

/** Builds a router. Throws when two routes answer the same requests. */
export function createRouter<T>(routes: Iterable<Route<T>>): Router<T> {
  const root = createNode<T>();
  const literalPaths = new Map<string, MethodTable<T>>();
  for (const route of routes) addRoute(root, literalPaths, route);

  function match(httpMethod: string, path: string): RouteMatch<T> | undefined {
    // Most calls go to a template of literals only. It beats every other template for its method, and a verb in it is
    // one that fits, so that nothing is left to be searched.
    const literal = findMethod(literalPaths.get(path), httpMethod);
    if (literal) return { kind: "route", target: literal.target, variables: noVariables };

    const hasEscapes = !plainPath.test(path);
    if (hasEscapes) checkPercentEncoding(path);
    if (!path.startsWith("/")) return undefined;
    const segments = path.slice(1).split("/");
    const keys = hasEscapes ? segments.map(normalizePercentEncoding) : segments;
    const { text: lastKey, verb } = splitVerb(keys.at(-1) ?? "");
    if (verb !== noVerb) {
      const withVerb = search(root, [...keys.slice(0, -1), lastKey], verb, httpMethod);
      // Normalizing makes no colon and takes none away, so that the raw segment is split at the same one.
      if (withVerb)
        return answer(withVerb, [...segments.slice(0, -1), splitVerb(segments.at(-1) ?? "").text], hasEscapes);
    }
    const withoutVerb = search(root, keys, noVerb, httpMethod);
    return withoutVerb && answer(withoutVerb, segments, hasEscapes);
  }

  return { match };
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), wildcard: undefined, rest: undefined, verbs: new Map() };
}

function addRoute<T>(root: Node<T>, literalPaths: Map<string, MethodTable<T>>, route: Route<T>): void {
  const { httpMethod, template } = route;
  let node = root;
  for (const segment of template.segments) {
    if (segment.kind === "literal") node = getOrAdd(node.literals, segment.text, createNode<T>);
    else node = node[segment.kind] ??= createNode();
  }
  const methods = getOrAdd(node.verbs, template.verb ?? noVerb, () => new Map<string, Route<T>>());
  const other = methods.get(httpMethod);
  if (other)
    throw new Error(`duplicate route: ${httpMethod} ${template.text} and ${httpMethod} ${other.template.text}`);
  methods.set(httpMethod, route);

  if (template.variables.length === 0 && template.segments.every((segment) => segment.kind === "literal")) {
    const path = template.segments.map((segment) => `/${segment.text}`).join("");
    literalPaths.set(template.verb === undefined ? path : `${path}:${template.verb}`, methods);
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}

function findMethod<T>(methods: MethodTable<T> | undefined, httpMethod: string): Route<T> | undefined {
  return methods && (methods.get(httpMethod) ?? methods.get("*"));
}

function splitVerb(segment: string): { readonly text: string; readonly verb: string } {
  const colon = segment.lastIndexOf(":");
  return colon < 0
    ? { text: segment, verb: noVerb }
    : { text: segment.slice(0, colon), verb: segment.slice(colon + 1) };
}

/** The route; or, when none is for this HTTP method, the methods of those that fit; or nothing when none fits. */
function search<T>(
  root: Node<T>,
  keys: readonly string[],
  verb: string,
  httpMethod: string,
): Route<T> | ReadonlySet<string> | undefined {
  const allow = new Set<string>();
  return findRoute(root, keys, 0, verb, httpMethod, allow) ?? (allow.size > 0 ? allow : undefined);
}

/**
 * Depth first, best choice first. Adds the methods of every template that fits the path to `allow`. The depth is bounded
 * by the templates; so are the branches, 2 for each segment that has both a literal and a wildcard.
 */
function findRoute<T>(
  node: Node<T>,
  keys: readonly string[],
  index: number,
  verb: string,
  httpMethod: string,
  allow: Set<string>,
): Route<T> | undefined {
  const key = keys[index];
  if (key === undefined) return findInNode(node, verb, httpMethod, allow);
  const literal = node.literals.get(key);
  let route = literal && findRoute(literal, keys, index + 1, verb, httpMethod, allow);
  // A wildcard needs something to match: `/keys/` names no key. The rest may be empty, as `**` is zero or more segments.
  if (!route && node.wildcard && key !== "") {
    route = findRoute(node.wildcard, keys, index + 1, verb, httpMethod, allow);
  }
  return route ?? (node.rest && findInNode(node.rest, verb, httpMethod, allow));
}

function findInNode<T>(node: Node<T>, verb: string, httpMethod: string, allow: Set<string>): Route<T> | undefined {
  const methods = node.verbs.get(verb);
  const route = findMethod(methods, httpMethod);
  if (!route) for (const other of methods?.keys() ?? []) allow.add(other);
  return route;
}

function answer<T>(
  found: Route<T> | ReadonlySet<string>,
  segments: readonly string[],
  hasEscapes: boolean,
): RouteMatch<T> {
  if (!("target" in found)) return { kind: "method_not_allowed", allow: [...found].sort() };
  const { variables, segments: pattern } = found.template;
  return {
    kind: "route",
    target: found.target,
    variables: variables.map((variable) => capture(variable, pattern.length, segments, hasEscapes)),
  };
}

function capture(
  variable: TemplateVariable,
  patternLength: number,
  segments: readonly string[],
  hasEscapes: boolean,
): string {
  const { start, end, isMultiSegment } = variable;
  // A variable that ends the pattern takes all there is: only `**`, which is last, makes a difference.
  const text = isMultiSegment
    ? segments.slice(start, end === patternLength ? undefined : end).join("/")
    : (segments[start] ?? "");
  return hasEscapes ? decodePathVariable(text, isMultiSegment) : text;
}

function checkPercentEncoding(path: string): void {
  if (!printablePath.test(path)) throw invalidArgument("path", "characters outside ASCII must be percent-encoded");
  try {
    decodeURIComponent(path);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    throw invalidArgument("path", "malformed percent-encoding, or not UTF-8");
  }
}
