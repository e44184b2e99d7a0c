import { readFileSync } from "node:fs";

export interface TemplateVector {
  readonly template: string;
  readonly valid: boolean;
  readonly segments?: readonly string[];
  readonly verb?: string;
  readonly variables?: readonly { readonly field: string; readonly start: number; readonly end: number }[];
}

export interface MatchVector {
  readonly routes?: readonly string[];
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly expect: string | null;
  readonly bindings?: Readonly<Record<string, string>>;
  readonly not_methods?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface RuleVector {
  readonly get?: string;
  readonly patch?: string;
  readonly body?: string;
  readonly additional_bindings?: readonly RuleVector[];
}

export interface WorkedVector {
  readonly rule: RuleVector;
  readonly http: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly grpc: unknown;
}

export interface EscapingVector {
  readonly direction?: string;
  readonly input?: string;
  readonly mode?: string;
  readonly decoded?: string;
}

export interface QueryVector {
  readonly field: string;
  readonly type: string;
  readonly value: string;
  readonly ok: boolean;
  readonly json?: unknown;
}

/** A copy of the shared conformance vectors; each record there names its source. */
export const vectors: {
  readonly templates: readonly TemplateVector[];
  readonly match: readonly MatchVector[];
  readonly worked: readonly WorkedVector[];
  readonly escaping: readonly EscapingVector[];
  readonly query: readonly QueryVector[];
} = JSON.parse(readFileSync(new URL("../vectors/http-rule.json", import.meta.url), "utf8"));
