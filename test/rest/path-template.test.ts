import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { PathTemplateError, parsePathTemplate, type TemplateSegment } from "../../src/rest/path-template.js";
import { type TemplateVector, vectors } from "./vectors.js";

/** Templates that another implementation takes and this one refuses. */
const decidedOtherwise = new Map<string, RegExp>([
  // http.proto: `**` "must be the last part of the URL path except the Verb".
  ...[
    "/a/{b=c/**}/d/e",
    "/a/{b=c/**/d}/e",
    "/a/{b=c/**/d}/e:verb",
    "/{x.y.z=a/**/b}",
    "/{x.y.z=a/**/b}/c/d",
    "/{x.y.z=a/**/b}:custom",
    "/{x.y.z=a/**/b}/c/d:custom",
  ].map((template) => [template, /'\*\*' must be the last segment/] as const),
  // http.proto's grammar: Segments is one Segment at least.
  ["/", /expected a segment, found the end/],
  // http.proto: "A variable template must not contain other variables".
  ...[
    "/my%2fcool-blog~about%2Cstuff%5Bwat%5D/{var={abc=%2F%2A}/{def=%2F%2A/**}}:baz",
    "/foo/bob/{book_id={author}/{isbn}/*}/details",
    "/foo/blah/{longest_var={long_var.a={medium.a={short.aa}/*/{short.ab}/foo}/*}/{long_var.b={medium.b={short.ba}/*/{short.bb}/foo}/{last=**}}}:details",
  ].map((template) => [template, /a variable cannot hold another variable/] as const),
]);

const segmentText = (segment: TemplateSegment): string =>
  segment.kind === "literal" ? segment.text : segment.kind === "wildcard" ? "*" : "**";

describe("vectors", () => {
  const all: readonly TemplateVector[] = vectors.templates;

  test("there are vectors, and each decision is about one that is valid elsewhere", () => {
    expect(all).toHaveLength(135);
    for (const template of decidedOtherwise.keys()) {
      expect(all.filter((vector) => vector.template === template && vector.valid)).toHaveLength(1);
    }
  });

  test.each(all.filter(({ valid, template }) => valid && !decidedOtherwise.has(template)))("$template", (vector) => {
    const template = parsePathTemplate(vector.template);
    expect(template.segments.map(segmentText)).toEqual(vector.segments);
    // Some ESP vectors with a verb come from a test that looks at the segments only, and do not record it.
    const verb = /:([^}]*)$/.exec(vector.template)?.[1];
    expect(template.verb).toBe(vector.verb ?? verb);
    // So do some with variables.
    if (vector.variables === undefined && vector.template.includes("{")) return;
    const { segments } = template;
    const variables = template.variables.map(({ fieldPath, start, end }) => ({
      field: fieldPath.join("."),
      start,
      end: segments[end - 1]?.kind === "rest" ? -1 : end,
    }));
    expect(variables).toEqual((vector.variables ?? []).map(({ field, start, end }) => ({ field, start, end })));
  });

  test.each(all.filter(({ valid }) => !valid))("refuses $template", ({ template }) => {
    expect(() => parsePathTemplate(template)).toThrow(PathTemplateError);
  });

  test.each([...decidedOtherwise])("refuses %s, which others take", (template, problem) => {
    expect(() => parsePathTemplate(template)).toThrow(problem);
  });
});

describe("variables", () => {
  test.each([
    ["/{a}", false],
    ["/{a=*}", false],
    ["/{a=issuedApiKeys}", false],
    ["/{a=**}", true],
    ["/{a=b/*}", true],
  ])("%s holds several segments: %s", (template, isMultiSegment) => {
    expect(parsePathTemplate(template).variables.map((variable) => variable.isMultiSegment)).toEqual([isMultiSegment]);
  });

  test("keeps the literal that a variable captures", () => {
    expect(parsePathTemplate("/admin/{collection=issuedApiKeys}/{key.id}:revoke")).toEqual({
      text: "/admin/{collection=issuedApiKeys}/{key.id}:revoke",
      segments: [{ kind: "literal", text: "admin" }, { kind: "literal", text: "issuedApiKeys" }, { kind: "wildcard" }],
      variables: [
        { fieldPath: ["collection"], start: 1, end: 2, isMultiSegment: false },
        { fieldPath: ["key", "id"], start: 2, end: 3, isMultiSegment: false },
      ],
      verb: "revoke",
    });
  });
});

describe("messages", () => {
  test.each([
    ["", 1, "expected '/', found the end"],
    ["foo", 1, "expected '/', found 'f'"],
    ["/a/", 4, "expected a segment, found the end"],
    ["/a//b", 4, "expected a segment, found '/'"],
    ["/a?b", 3, "expected the end, found '?'"],
    ["/a:", 4, "expected a verb, found the end"],
    ["/a:b/c", 5, "expected the end, found '/'"],
    ["/{1}", 3, "expected a field name, found '1'"],
    ["/{a.}", 5, "expected a field name, found '}'"],
    ["/{a-}", 4, "expected '}', found '-'"],
    ["/a/{b", 6, "expected '}', found the end"],
    ["/a%4", 3, "invalid percent escape"],
    ["/{a}/{a}", 7, "variable a is bound twice"],
    ["/{a={b}}", 5, "a variable cannot hold another variable"],
    ["/**/b", 5, "'**' must be the last segment; there is another one"],
    ["/a***", 3, "expected the end, found '*'"],
  ])("%s", (text, column, problem) => {
    const message = `path template: ${problem} at column ${column}\n  ${text}\n  ${" ".repeat(column - 1)}^`;
    expect(() => parsePathTemplate(text)).toThrow(new PathTemplateError(text, column - 1, problem));
    try {
      parsePathTemplate(text);
    } catch (error) {
      expect(error).toMatchObject({ message, column });
    }
  });

  test("a line break in a template does not break the caret's line", () => {
    expect(() => parsePathTemplate("/a\n/b")).toThrow(
      "path template: expected the end, found '\\n' at column 3\n  /a /b\n    ^",
    );
  });
});

test("any text either parses or is a PathTemplateError", () => {
  const piece = fc.constantFrom("/", "*", "**", "{", "}", "=", ".", ":", "a", "b_1", "%2F", "%", "é", " ");
  const text = fc.oneof(
    fc.array(piece).map((pieces) => `/${pieces.join("")}`),
    fc.string(),
  );
  let parsed = 0;
  fc.assert(
    fc.property(text, (template) => {
      try {
        expect(parsePathTemplate(template).text).toBe(template);
        parsed++;
      } catch (error) {
        expect(error).toBeInstanceOf(PathTemplateError);
      }
    }),
    { seed: 1, numRuns: 5_000 },
  );
  expect(parsed).toBeGreaterThan(50);
});
