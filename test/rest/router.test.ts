import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parsePathTemplate } from "../../src/rest/path-template.js";
import { createRouter, type RouteMatch, type Router } from "../../src/rest/router.js";
import { caught, invalid } from "./caught.js";
import { type MatchVector, vectors } from "./vectors.js";

const parses = (template: string): boolean => {
  try {
    parsePathTemplate(template);
    return true;
  } catch {
    return false;
  }
};

/** Routes written as "GET /a/{b}"; the target is the template. */
function routerOf(routes: readonly string[]): Router<string> {
  return createRouter(
    routes.map((route) => {
      const [httpMethod = "", path = ""] = route.split(" ");
      return { httpMethod, template: parsePathTemplate(path), target: path };
    }),
  );
}

/** A match as the vectors have it: the variables by name. */
function named(match: RouteMatch<string> | undefined): unknown {
  if (match?.kind !== "route") return match?.allow;
  const { variables } = parsePathTemplate(match.target);
  return [
    match.target,
    Object.fromEntries(variables.map(({ fieldPath }, i) => [fieldPath.join("."), match.variables[i]])),
  ];
}

/**
 * Paths whose answer is another one here, by the routes' first and the path. Where a vector expects a template that does
 * not parse here (`**` before the end, nested variables, "/"; see path-template.test.ts), the answer is no route, or else
 * the one given here.
 */
const decidedOtherwise = new Map<string, unknown>([
  // ESP has an option to take every text after a colon for a verb. Ids may hold colons, so that an unknown verb is none.
  ["GET /person/{id=*} /person/jason:other", ["/person/{id=*}", { id: "jason:other" }]],
  // The longer template does not parse, and the `**` of a shorter one takes what it is not there for.
  ["GET /a/{x=b/**} /a/b/world/c/z", ["/a/{x=b/**}", { x: "b/world/c/z" }]],
  ["GET /a/{x=b/**} /a/b/world/c/y/z", ["/a/{x=b/**}", { x: "b/world/c/y/z" }]],
  ["GET /a/{x=b/**} /a/b/foo/y/z/bar/baz/foo", ["/a/{x=b/**}", { x: "b/foo/y/z/bar/baz/foo" }]],
  ["GET /a/{x=b/**} /a/b/foo/bar/baz/y/z/foo", ["/a/{x=b/**}", { x: "b/foo/bar/baz/y/z/foo" }]],
  ["GET /some/const:verb /other/bar/foo/const:verb", ["/other/**:verb", {}]],
]);

describe("vectors", () => {
  // What ESP does with a duplicate route is disputed; here the service does not start, see below.
  const all = vectors.match.filter(({ routes }) => new Set(routes).size === (routes ?? []).length);
  const keyOf = ({ routes, path }: MatchVector): string => `${routes?.[0]} ${path}`;

  test("there are vectors, and each decision is about one", () => {
    expect([vectors.match.length, all.length]).toEqual([141, 139]);
    for (const key of decidedOtherwise.keys()) expect(all.map(keyOf)).toContain(key);
  });

  test.each(all)("$method $path of $routes", (vector) => {
    const router = routerOf((vector.routes ?? []).filter((route) => parses(route.slice(route.indexOf(" ") + 1))));
    const [path = ""] = vector.path.split("?");
    const match = router.match(vector.method, path);
    const other = decidedOtherwise.get(keyOf(vector));
    if (other !== undefined) expect(named(match)).toEqual(other);
    else if (vector.expect === null || !parses(vector.expect)) expect(match?.kind === "route").toBe(false);
    else {
      // Bindings that come from the query are for the test of the query.
      const fromPath = parsePathTemplate(vector.expect).variables.map(({ fieldPath }) => fieldPath.join("."));
      const bindings = Object.entries(vector.bindings ?? {}).filter(([name]) => fromPath.includes(name));
      expect(match).toMatchObject({ kind: "route", target: vector.expect });
      if (vector.bindings) expect(named(match)).toEqual([vector.expect, Object.fromEntries(bindings)]);
      for (const method of vector.not_methods ?? []) {
        expect(router.match(method, path)).toEqual({ kind: "method_not_allowed", allow: ["GET", "POST"] });
      }
    }
  });
});

describe("precedence", () => {
  const router = routerOf([
    "GET /keys/{id}",
    "DELETE /keys/{id}",
    "POST /keys/{id}:revoke",
    "POST /keys:batch",
    "GET /keys",
    "POST /keys/special",
    "GET /files/{name=**}",
    "GET /files/{name}/meta",
    "GET /files/list",
    "* /any/{x}",
    "GET /any/get",
    "POST /admin/{kind=issued}/{id}:revoke",
    "POST /admin/{kind=imported}/{id}:revoke",
    "GET /a%2fb/{x}",
    "GET /{kind=fixed}",
  ]);

  test.each([
    ["a literal beats *, which beats **", "GET", "/files/list", ["/files/list", {}]],
    ["** takes what nothing else does", "GET", "/files/a/b/c", ["/files/{name=**}", { name: "a/b/c" }]],
    ["** may be empty", "GET", "/files/", ["/files/{name=**}", { name: "" }]],
    ["** still needs its slash", "GET", "/files", undefined],
    ["* between literals beats **", "GET", "/files/a/meta", ["/files/{name}/meta", { name: "a" }]],
    [
      "it backtracks from a literal that leads nowhere",
      "GET",
      "/files/list/x",
      ["/files/{name=**}", { name: "list/x" }],
    ],
    ["* matches something", "GET", "/keys/", undefined],
    ["no slash is ignored at the end", "GET", "/keys/a/", undefined],
    ["a literal for another method gives way to *", "GET", "/keys/special", ["/keys/{id}", { id: "special" }]],
    ["methods of all templates that fit are allowed", "PUT", "/keys/special", ["DELETE", "GET", "POST"]],
    ["an id may hold a colon", "GET", "/keys/a:b", ["/keys/{id}", { id: "a:b" }]],
    ["also before a verb", "POST", "/keys/a:b:revoke", ["/keys/{id}:revoke", { id: "a:b" }]],
    ["a known verb is one for every method", "GET", "/keys/a:revoke", ["POST"]],
    ["an escaped colon is none", "GET", "/keys/a%3Arevoke", ["/keys/{id}", { id: "a:revoke" }]],
    ["a verb of another path is none here", "GET", "/keys/a:batch", ["/keys/{id}", { id: "a:batch" }]],
    ["a verb with nothing before it is part of the segment", "GET", "/keys/:revoke", ["/keys/{id}", { id: ":revoke" }]],
    ["an empty verb is none", "GET", "/keys/a:", ["/keys/{id}", { id: "a:" }]],
    ["nor does it end a literal", "GET", "/keys:", undefined],
    ["a verb on a collection", "POST", "/keys:batch", ["/keys:batch", {}]],
    ["a verb on a collection, other method", "GET", "/keys:batch", ["POST"]],
    ["a custom rule takes every method", "BREW", "/any/get", ["/any/{x}", { x: "get" }]],
    ["but the literal wins for its own", "GET", "/any/get", ["/any/get", {}]],
    [
      "a variable captures a literal",
      "POST",
      "/admin/issued/1:revoke",
      ["/admin/{kind=issued}/{id}:revoke", { kind: "issued", id: "1" }],
    ],
    ["also where there is nothing else", "GET", "/fixed", ["/{kind=fixed}", { kind: "fixed" }]],
    ["and only that", "POST", "/admin/others/1:revoke", undefined],
    ["equivalent escapes are equal", "GET", "/a%2Fb/%78%2fy", ["/a%2fb/{x}", { x: "x/y" }]],
    ["an escaped letter is the letter", "GET", "/%6bey%73", ["/keys", {}]],
    ["but an escaped slash is no slash", "GET", "/keys%2Fa", undefined],
    ["methods are case-sensitive", "get", "/keys", ["GET"]],
    ["a path starts with a slash", "GET", "keys", undefined],
    ["the asterisk form has no route", "OPTIONS", "*", undefined],
  ])("%s: %s %s", (_, method, path, expected) => {
    expect(named(router.match(method, path))).toEqual(expected);
  });
});

describe("start-up", () => {
  test.each([
    [["GET /a/b", "GET /a/b"], "duplicate route: GET /a/b and GET /a/b"],
    [["GET /a/{x}", "GET /a/{y=*}"], "duplicate route: GET /a/{y=*} and GET /a/{x}"],
    [["GET /a/{x}:v", "GET /{y=a/*}:v"], "duplicate route: GET /{y=a/*}:v and GET /a/{x}:v"],
  ])("%j", (routes, message) => {
    expect(() => routerOf(routes)).toThrow(new Error(message));
  });
});

describe("malformed paths", () => {
  const router = routerOf(["GET /keys/{id}", "GET /files/{name=**}"]);

  test.each(["/keys/%", "/keys/%zz", "/keys/%ff", "/files/a/%ED%A0%80", "/unknown/%c3"])("%s", (path) => {
    expect(caught(() => router.match("GET", path))).toEqual(invalid("path: malformed percent-encoding, or not UTF-8"));
  });

  test.each(["/keys/é", "/keys/a b", "/keys/\u0000"])("%j", (path) => {
    const message = "path: characters outside ASCII must be percent-encoded";
    expect(caught(() => router.match("GET", path))).toEqual(invalid(message));
  });

  test("any path finds a route, none, or is INVALID_ARGUMENT", () => {
    const piece = fc.constantFrom("/", ":", "keys", "files", "%2F", "%C3%A9", "%", "%ff", "é", "v", "..", "");
    const path = fc.oneof(
      fc.array(piece).map((pieces) => `/${pieces.join("")}`),
      fc.string(),
    );
    const kinds = new Set<string>();
    fc.assert(
      fc.property(path, (text) => {
        const refused = caught(() => kinds.add(router.match("GET", text)?.kind ?? "none"));
        if (refused) kinds.add(refused.reason);
      }),
      { seed: 2, numRuns: 5_000 },
    );
    expect([...kinds].sort()).toEqual(["INVALID_ARGUMENT", "none", "route"]);
  });

  test("a variable is what encodeURIComponent made the path of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (id) => {
        const match = router.match("GET", `/keys/${encodeURIComponent(id)}`);
        expect(match).toEqual({ kind: "route", target: "/keys/{id}", variables: [id] });
      }),
      { seed: 3 },
    );
  });
});
