/**
 * Typed access to the service model (ADR 0001): its operations and shapes, linked to one another
 * and read once at start, so that nothing at run time looks a name up in the JSON document.
 *
 * Source of every fact here: model/lambda-2015-03-31.json.
 */
import { assert } from '../base/assert.ts';
import type { ApiOperationName } from './generated/api-types.ts';
import modelDocument from '../../model/lambda-2015-03-31.json' with { type: 'json' };

export type ShapeType =
  | 'structure'
  | 'list'
  | 'map'
  | 'string'
  | 'blob'
  | 'timestamp'
  | 'boolean'
  | 'integer'
  | 'long'
  | 'double';

/** Where a member travels: `body` is a JSON member, `payload` the whole HTTP body. */
export type MemberLocation = 'body' | 'payload' | 'uri' | 'querystring' | 'header' | 'statusCode';

export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
  readonly location: MemberLocation;
  /** Name on the wire: JSON key, path parameter, query parameter or header. */
  readonly wireName: string;
}

export interface ErrorTraits {
  readonly httpStatus: number;
  readonly isFault: boolean;
}

export interface Shape {
  readonly name: string;
  readonly type: ShapeType;
  /** Members of a structure, in the model's order; empty for other types. */
  readonly members: readonly Member[];
  /** Element of a list. */
  readonly element: Shape | undefined;
  /** Key and value of a map. */
  readonly key: Shape | undefined;
  readonly value: Shape | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly pattern: string | undefined;
  readonly enumValues: readonly string[] | undefined;
  /** Never to be shown in messages or logs. */
  readonly isSensitive: boolean;
  /** Present on exceptions. */
  readonly error: ErrorTraits | undefined;
}

export interface Operation {
  readonly name: ApiOperationName;
  readonly method: string;
  /** Path template without query string, for example `/2015-03-31/functions/{FunctionName}`. */
  readonly path: string;
  /** Constant query parameters that tell apart operations with the same method and path. */
  readonly requiredQuery: readonly (readonly [name: string, value: string])[];
  readonly successStatus: number;
  readonly input: Shape | undefined;
  readonly output: Shape | undefined;
  readonly isDeprecated: boolean;
}

interface RawMember {
  readonly shape: string;
  readonly location?: MemberLocation;
  readonly locationName?: string;
}
interface RawShape {
  readonly type: ShapeType;
  readonly members?: Readonly<Record<string, RawMember>>;
  readonly required?: readonly string[];
  readonly payload?: string;
  readonly member?: RawMember;
  readonly key?: RawMember;
  readonly value?: RawMember;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
  readonly exception?: boolean;
  readonly fault?: boolean;
  readonly error?: { readonly httpStatusCode: number };
}
interface RawOperation {
  readonly name: ApiOperationName;
  readonly http: {
    readonly method: string;
    readonly requestUri: string;
    readonly responseCode: number;
  };
  readonly input?: { readonly shape: string };
  readonly output?: { readonly shape: string };
  readonly deprecated?: boolean;
}
interface RawModel {
  readonly operations: Readonly<Record<string, RawOperation>>;
  readonly shapes: Readonly<Record<string, RawShape>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const rawModel = modelDocument as unknown as RawModel;

function createShape(name: string, raw: RawShape): Mutable<Shape> {
  return {
    name,
    type: raw.type,
    members: [],
    element: undefined,
    key: undefined,
    value: undefined,
    min: raw.min,
    max: raw.max,
    pattern: raw.pattern,
    enumValues: raw.enum,
    isSensitive: raw.sensitive === true,
    error:
      raw.exception === true && raw.error !== undefined
        ? { httpStatus: raw.error.httpStatusCode, isFault: raw.fault === true }
        : undefined,
  };
}

/** Two passes, so that shapes may refer to each other in any order, or to themselves. */
function linkShapes(rawShapes: RawModel['shapes']): ReadonlyMap<string, Shape> {
  const linked = new Map<string, Mutable<Shape>>();
  for (const [name, raw] of Object.entries(rawShapes)) linked.set(name, createShape(name, raw));
  const resolve = (target: RawMember | undefined): Shape | undefined => {
    if (target === undefined) return undefined;
    const shape = linked.get(target.shape);
    assert(shape !== undefined, `the service model has no shape ${target.shape}`);
    return shape;
  };
  for (const [name, shape] of linked) {
    const raw = rawShapes[name]!;
    shape.element = resolve(raw.member);
    shape.key = resolve(raw.key);
    shape.value = resolve(raw.value);
    shape.members = Object.entries(raw.members ?? {}).map(([member, target]) => ({
      name: member,
      shape: resolve(target)!,
      required: raw.required?.includes(member) ?? false,
      location: member === raw.payload ? 'payload' : (target.location ?? 'body'),
      wireName: target.locationName ?? member,
    }));
  }
  return linked;
}

export const shapes: ReadonlyMap<string, Shape> = linkShapes(rawModel.shapes);

function createOperation(raw: RawOperation): Operation {
  const [path = '', query = ''] = raw.http.requestUri.split('?');
  return {
    name: raw.name,
    method: raw.http.method,
    path,
    requiredQuery: [...new URLSearchParams(query)],
    successStatus: raw.http.responseCode,
    input: raw.input && shapes.get(raw.input.shape),
    output: raw.output && shapes.get(raw.output.shape),
    isDeprecated: raw.deprecated === true,
  };
}

/** All operations by name, in the model's (alphabetical) order. */
export const operations: ReadonlyMap<ApiOperationName, Operation> = new Map(
  Object.values(rawModel.operations).map((raw) => [raw.name, createOperation(raw)]),
);

export function operationNamed(name: ApiOperationName): Operation {
  const operation = operations.get(name);
  assert(operation !== undefined, `the service model has no operation ${name}`);
  return operation;
}
