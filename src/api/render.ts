/**
 * From an operation's output, or an error, to status, headers and body (AWS restJson1).
 *
 * Each operation's renderer is compiled once. Header lists are flat (name, value, name, value), the
 * form that node:http writes without looking at it again.
 */
import type { ApiError } from '../model/errors.ts';
import { errorTable, type ErrorEntry } from '../model/error-table.ts';
import type { ApiOperationName } from '../model/generated/api-types.ts';
import type { Member, Operation, Shape } from '../model/service-model.ts';

export interface RenderedResponse {
  readonly status: number;
  /** Without Content-Length and the request id. */
  readonly headers: string[];
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
}

export type OutputRenderer = (output: Readonly<Record<string, unknown>>) => RenderedResponse;

type JsonRenderer = (value: unknown) => unknown;

const jsonContentType = 'application/json';

function epochSeconds(value: unknown): unknown {
  return value instanceof Date ? value.getTime() / 1000 : value;
}

function base64(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

const structureRenderers = new Map<Shape, JsonRenderer>();

/** Filed before its members are compiled: shapes may refer to themselves. */
function structureRenderer(shape: Shape): JsonRenderer {
  const known = structureRenderers.get(shape);
  if (known !== undefined) return known;
  const members: CompiledMember[] = [];
  const renderer: JsonRenderer = (value) => renderMembers(members, value);
  structureRenderers.set(shape, renderer);
  members.push(...shape.members.map(compileMember));
  return renderer;
}

interface CompiledMember {
  readonly name: string;
  readonly wireName: string;
  readonly render: JsonRenderer | undefined;
}

/** Members that the model does not know are dropped, undefined ones omitted. */
function renderMembers(members: readonly CompiledMember[], value: unknown): unknown {
  const source = value as Readonly<Record<string, unknown>>;
  const result: Record<string, unknown> = {};
  for (const { name, wireName, render } of members) {
    const item = source[name];
    if (item === undefined || item === null) continue;
    result[wireName] = render === undefined ? item : render(item);
  }
  return result;
}

function mapRenderer(entryValue: JsonRenderer | undefined): JsonRenderer | undefined {
  if (entryValue === undefined) return undefined;
  return (value) =>
    Object.fromEntries(
      Object.entries(value as object).map(([key, item]) => [key, entryValue(item)]),
    );
}

/** Undefined when JSON.stringify renders the value as it is. */
function jsonRenderer(shape: Shape): JsonRenderer | undefined {
  switch (shape.type) {
    case 'structure':
      return structureRenderer(shape);
    case 'list': {
      const element = jsonRenderer(shape.element!);
      return element && ((value) => (value as unknown[]).map(element));
    }
    case 'map':
      return mapRenderer(jsonRenderer(shape.value!));
    case 'timestamp':
      return epochSeconds;
    case 'blob':
      return base64;
    default:
      return undefined;
  }
}

function compileMember(member: Member): CompiledMember {
  return { name: member.name, wireName: member.wireName, render: jsonRenderer(member.shape) };
}

interface Binding {
  readonly headers: readonly Member[];
  readonly fixedHeaders: readonly string[];
  readonly statusMember: string | undefined;
  readonly payload: Member | undefined;
  readonly body: readonly CompiledMember[];
  readonly hasContentTypeMember: boolean;
}

function compileBinding(shape: Shape, operation: Operation): Binding {
  const at = (location: Member['location']): Member[] =>
    shape.members.filter((member) => member.location === location);
  const headers = at('header');
  return {
    headers,
    fixedHeaders: fixedHeaders[operation.name] ?? [],
    statusMember: at('statusCode')[0]?.name,
    payload: at('payload')[0],
    body: at('body').map(compileMember),
    hasContentTypeMember: headers.some(({ wireName }) => wireName.toLowerCase() === 'content-type'),
  };
}

function renderBody(
  binding: Binding,
  output: Readonly<Record<string, unknown>>,
): RenderedResponse['body'] {
  if (binding.payload !== undefined) {
    return output[binding.payload.name] as Uint8Array | AsyncIterable<Uint8Array> | undefined;
  }
  if (binding.body.length === 0) return undefined;
  return JSON.stringify(renderMembers(binding.body, output));
}

/**
 * Headers of every answer of an operation that the service model lacks. Invoke's is always 0
 * (raw answers in public reports).
 */
const fixedHeaders: Readonly<Partial<Record<ApiOperationName, readonly string[]>>> = {
  Invoke: ['x-amzn-Remapped-Content-Length', '0'],
};

function renderHeaders(binding: Binding, output: Readonly<Record<string, unknown>>): string[] {
  const headers = [...binding.fixedHeaders];
  for (const { name, wireName } of binding.headers) {
    const value = output[name];
    if (value !== undefined && value !== null) headers.push(wireName, String(value));
  }
  return headers;
}

export function createOutputRenderer(operation: Operation): OutputRenderer {
  const { output: shape, successStatus } = operation;
  if (shape === undefined) {
    return () => ({ status: successStatus, headers: [], body: undefined });
  }
  const binding = compileBinding(shape, operation);
  const { statusMember, hasContentTypeMember } = binding;
  return (output) => {
    const body = renderBody(binding, output);
    const headers = renderHeaders(binding, output);
    if (body !== undefined && !(hasContentTypeMember && headers.includes('Content-Type'))) {
      headers.push('Content-Type', jsonContentType);
    }
    const status = statusMember === undefined ? undefined : output[statusMember];
    return { status: typeof status === 'number' ? status : successStatus, headers, body };
  };
}

function renderEntry(entry: ErrorEntry, error: ApiError): RenderedResponse {
  const body: Record<string, unknown> = {};
  if (entry.hasType) body['Type'] = entry.fault;
  body[entry.messageMember] = error.message;
  const headers = ['Content-Type', jsonContentType, 'x-amzn-ErrorType', entry.code];
  for (const [member, value] of Object.entries(error.members)) {
    if (value === undefined || value === null) continue;
    const headerName = entry.headerMembers.get(member);
    if (headerName === undefined) body[member] = value;
    else headers.push(headerName, String(value));
  }
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value);
  return { status: entry.httpStatus, headers, body: JSON.stringify(body) };
}

/** Undefined for a code that the error table does not have: that is a defect, not an answer. */
export function renderError(error: ApiError): RenderedResponse | undefined {
  const entry = errorTable.get(error.code);
  return entry && renderEntry(entry, error);
}
