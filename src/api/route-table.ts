/**
 * Which operation a method and path name: all operations of the service model on a radix tree.
 *
 * Path parameters may be percent-encoded or raw ARNs, and long ones; a trailing slash is accepted.
 * Operations with the same method and path are told apart by a constant query parameter.
 */
import createRouter, { type HTTPMethod } from 'find-my-way';
import { apiLimits } from '../model/api-limits.ts';
import type { Operation } from '../model/service-model.ts';

export interface RouteMatch<Target> {
  readonly target: Target;
  readonly params: Readonly<Record<string, string | undefined>>;
  /** Raw query string, without the question mark. */
  readonly query: string;
}

export interface RouteTable<Target> {
  /** `url` is the request target: path and query as they came. Undefined when nothing matches. */
  find(method: string, url: string): RouteMatch<Target> | undefined;
}

interface Candidate<Target> {
  readonly requiredQuery: Operation['requiredQuery'];
  readonly target: Target;
}

/** Members whose values have slashes of their own: the raw form takes several path segments. */
const segmentsOfArn: Readonly<Record<string, readonly string[]>> = {
  // arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION/durable-execution/NAME/ID
  DurableExecutionArn: [':function', 'durable-execution', ':execution', ':id'],
};

function routerPath(template: string): string {
  return template.replace(/\{(\w+)\+?\}/g, ':$1');
}

/** The template with the ARN's own slashes spelled out, or undefined when it has no such member. */
function rawArnPath(template: string): { path: string; member: string } | undefined {
  const member = Object.keys(segmentsOfArn).find((name) => template.includes(`{${name}}`));
  if (member === undefined) return undefined;
  return { path: template.replace(`{${member}}`, segmentsOfArn[member]!.join('/')), member };
}

function joinArn(
  member: string,
  params: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const segments = segmentsOfArn[member]!.map((segment) =>
    segment.startsWith(':') ? params[segment.slice(1)] : segment,
  );
  return { ...params, [member]: segments.join('/') };
}

function pickCandidate<Target>(
  candidates: readonly Candidate<Target>[],
  rawQuery: string,
): Candidate<Target> | undefined {
  if (candidates.length === 1) return candidates[0];
  const query = new URLSearchParams(rawQuery);
  return candidates.find(({ requiredQuery }) =>
    requiredQuery.every(([name, value]) => query.get(name) === value),
  );
}

/** Groups what shares method and path, the more demanding query first. */
function groupByPath<Target>(
  targets: Iterable<readonly [Operation, Target]>,
): Map<string, { operation: Operation; candidates: Candidate<Target>[] }> {
  const groups = new Map<string, { operation: Operation; candidates: Candidate<Target>[] }>();
  for (const [operation, target] of targets) {
    const key = `${operation.method} ${routerPath(operation.path).replace(/:\w+/g, ':')}`;
    const group = groups.get(key) ?? { operation, candidates: [] };
    group.candidates.push({ requiredQuery: operation.requiredQuery, target });
    group.candidates.sort((left, right) => right.requiredQuery.length - left.requiredQuery.length);
    groups.set(key, group);
  }
  return groups;
}

interface RouteStore<Target> {
  readonly candidates: readonly Candidate<Target>[];
  /** Set on the route that takes a raw ARN in several segments. */
  readonly joinedMember: string | undefined;
}

export function createRouteTable<Target>(
  targets: Iterable<readonly [Operation, Target]>,
): RouteTable<Target> {
  const router = createRouter({
    ignoreTrailingSlash: true,
    maxParamLength: apiLimits.pathParameterLengthMax,
    // The query is parsed by what needs it.
    querystringParser: (query) => query,
  });
  const noHandler = (): void => {};
  for (const { operation, candidates } of groupByPath(targets).values()) {
    const method = operation.method as HTTPMethod;
    const { path } = operation;
    router.on(method, routerPath(path), noHandler, { candidates, joinedMember: undefined });
    const raw = rawArnPath(path);
    if (raw !== undefined) {
      const store = { candidates, joinedMember: raw.member };
      router.on(method, routerPath(raw.path), noHandler, store);
    }
  }
  return {
    find(method, url) {
      const found = router.find(method as HTTPMethod, url);
      if (found === null) return undefined;
      const { candidates, joinedMember } = found.store as RouteStore<Target>;
      const query = found.searchParams as unknown as string;
      const candidate = pickCandidate(candidates, query);
      if (candidate === undefined) return undefined;
      const params = found.params as Readonly<Record<string, string | undefined>>;
      return {
        target: candidate.target,
        params: joinedMember === undefined ? params : joinArn(joinedMember, params),
        query,
      };
    },
  };
}
