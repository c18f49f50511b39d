/**
 * From an HTTP request to an operation's input (AWS restJson1): path, query, header and body members,
 * converted to the types of the service model. Validation of the values comes after (validate.ts).
 *
 * Each operation's binding is compiled once. Unknown JSON members and null members are ignored.
 * Anything that does not convert is a SerializationException; its wordings are those that
 * services of this protocol are publicly seen to answer with.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../model/errors.ts';
import type { Member, Operation, Shape } from '../model/service-model.ts';

export type Input = Record<string, unknown>;

export interface RequestParts {
  /** Path parameters by their name in the template, percent-decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** Raw query string, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Throws ApiError SerializationException. */
export type InputParser = (parts: RequestParts) => Input;

type JsonConverter = (value: unknown) => unknown;

function serializationError(message: string): ApiError {
  return new ApiError('SerializationException', message);
}

/** The token names of the service's JSON reader. */
function tokenName(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'STRING_VALUE';
    case 'number':
      return 'NUMBER_VALUE';
    case 'boolean':
      return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
    default:
      return 'NULL_VALUE';
  }
}

function unexpectedValue(value: unknown, expected: string): ApiError {
  if (Array.isArray(value)) return serializationError('Start of list found where not expected');
  if (typeof value === 'object' && value !== null) {
    return serializationError('Start of structure or map found where not expected');
  }
  return serializationError(`${tokenName(value)} can not be converted to ${expected}`);
}

function convertString(value: unknown): unknown {
  if (typeof value !== 'string') throw unexpectedValue(value, 'a String');
  return value;
}

function convertBoolean(value: unknown): unknown {
  if (typeof value !== 'boolean') throw unexpectedValue(value, 'a Boolean');
  return value;
}

/** Fractions are cut off, as the service does. */
function convertInteger(value: unknown): unknown {
  if (typeof value !== 'number') throw unexpectedValue(value, 'an Integer');
  return Math.trunc(value);
}

function convertDouble(value: unknown): unknown {
  if (typeof value !== 'number') throw unexpectedValue(value, 'a Double');
  return value;
}

/** Epoch seconds in a body, with an optional fraction (restJson1's default for bodies). */
function convertTimestamp(value: unknown): unknown {
  if (typeof value !== 'number') throw unexpectedValue(value, 'milliseconds since epoch');
  const date = new Date(Math.round(value * 1000));
  if (Number.isNaN(date.getTime())) {
    throw serializationError('NUMBER_VALUE can not be converted to milliseconds since epoch');
  }
  return date;
}

function base64BytesOf(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / 4);
}

function convertBlob(value: unknown): unknown {
  if (typeof value !== 'string') throw unexpectedValue(value, 'a ByteBuffer');
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length === base64BytesOf(value)) return bytes;
  // The decoder skips what is not base64. Line breaks are harmless; anything else is not base64.
  const unbroken = value.replace(/\s+/g, '');
  if (bytes.length === base64BytesOf(unbroken)) return bytes;
  throw serializationError('STRING_VALUE can not be converted to a ByteBuffer');
}

/** Null elements are kept: validation says that they must not be null. */
function listConverter(element: JsonConverter): JsonConverter {
  return (value) => {
    if (!Array.isArray(value)) {
      if (typeof value === 'object') throw unexpectedValue(value, 'a list');
      throw serializationError('Expected list or null');
    }
    return value.map((item: unknown) => (item === null ? null : element(item)));
  };
}

/** `__proto__` is a key like any other, and must not become the map's prototype. */
function setEntry(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    target[key] = value;
  }
}

function expectObject(value: unknown): Readonly<Record<string, unknown>> {
  if (Array.isArray(value)) throw unexpectedValue(value, 'a structure');
  if (typeof value !== 'object' || value === null) {
    throw serializationError('Expected structure or null');
  }
  return value as Readonly<Record<string, unknown>>;
}

function mapConverter(entryValue: JsonConverter): JsonConverter {
  return (value) => {
    if (typeof value !== 'object') throw serializationError('Expected map or null');
    const source = expectObject(value);
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(source)) {
      const item = source[key];
      setEntry(result, key, item === null ? null : entryValue(item));
    }
    return result;
  };
}

interface CompiledMember {
  readonly name: string;
  readonly wireName: string;
  readonly convert: JsonConverter;
}

function convertMembers(
  members: readonly CompiledMember[],
  source: Readonly<Record<string, unknown>>,
  target: Input,
): void {
  for (const { name, wireName, convert } of members) {
    const value = source[wireName];
    if (value !== undefined && value !== null) target[name] = convert(value);
  }
}

/** Shapes may refer to themselves: a converter is filed before its members are compiled. */
const structureConverters = new Map<Shape, JsonConverter>();

function structureConverter(shape: Shape): JsonConverter {
  const known = structureConverters.get(shape);
  if (known !== undefined) return known;
  const members: CompiledMember[] = [];
  const converter: JsonConverter = (value) => {
    const result: Input = {};
    convertMembers(members, expectObject(value), result);
    return result;
  };
  structureConverters.set(shape, converter);
  members.push(...shape.members.map(compileMember));
  return converter;
}

function jsonConverter(shape: Shape): JsonConverter {
  switch (shape.type) {
    case 'structure':
      return structureConverter(shape);
    case 'list':
      return listConverter(jsonConverter(shape.element!));
    case 'map':
      return mapConverter(jsonConverter(shape.value!));
    case 'string':
      return convertString;
    case 'blob':
      return convertBlob;
    case 'timestamp':
      return convertTimestamp;
    case 'boolean':
      return convertBoolean;
    case 'integer':
    case 'long':
      return convertInteger;
    case 'double':
      return convertDouble;
  }
}

function compileMember(member: Member): CompiledMember {
  return { name: member.name, wireName: member.wireName, convert: jsonConverter(member.shape) };
}

/** ISO 8601, as clients write it: `Date` alone would take `--1` for a day, too. */
const dateTimePattern =
  /^[+-]?\d{4,6}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/u;

/** An invalid date for what is neither a date-time nor epoch seconds. */
function timeOf(text: string): Date {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return new Date(Math.round(Number(text) * 1000));
  return new Date(dateTimePattern.test(text) ? text : NaN);
}

/** Text of a path, query or header member. Timestamps there are date-times, or epoch seconds. */
function convertText(shape: Shape, text: string): unknown {
  switch (shape.type) {
    case 'boolean':
      if (text === 'true') return true;
      if (text === 'false') return false;
      throw serializationError('STRING_VALUE can not be converted to a Boolean');
    case 'integer':
    case 'long': {
      if (!/^[+-]?[0-9]{1,15}$/.test(text)) {
        throw serializationError('STRING_VALUE can not be converted to an Integer');
      }
      return Number(text);
    }
    case 'double': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) {
        throw serializationError('STRING_VALUE can not be converted to a Double');
      }
      return value;
    }
    case 'timestamp': {
      const date = timeOf(text);
      if (Number.isNaN(date.getTime())) {
        throw serializationError('STRING_VALUE can not be converted to milliseconds since epoch');
      }
      return date;
    }
    default:
      return text;
  }
}

function parseJson(body: Uint8Array): unknown {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw serializationError('Unable to parse the request body as JSON');
  }
}

interface Binding {
  readonly path: readonly Member[];
  readonly query: readonly Member[];
  readonly headers: readonly (readonly [headerName: string, member: Member])[];
  readonly body: readonly CompiledMember[];
  readonly payload: Member | undefined;
  readonly convertPayload: JsonConverter | undefined;
}

function compileBinding(shape: Shape): Binding {
  const at = (location: Member['location']): Member[] =>
    shape.members.filter((member) => member.location === location);
  const payload = at('payload')[0];
  return {
    path: at('uri'),
    query: at('querystring'),
    headers: at('header').map((member) => [member.wireName.toLowerCase(), member]),
    body: at('body').map(compileMember),
    payload,
    convertPayload:
      payload === undefined || payload.shape.type === 'blob'
        ? undefined
        : jsonConverter(payload.shape),
  };
}

function parsePath(binding: Binding, params: RequestParts['params'], input: Input): void {
  for (const { name, wireName, shape } of binding.path) {
    const text = params[wireName];
    if (text !== undefined) input[name] = convertText(shape, text);
  }
}

function parseQuery(binding: Binding, rawQuery: string, input: Input): void {
  const query = new URLSearchParams(rawQuery);
  for (const { name, wireName, shape } of binding.query) {
    if (shape.type === 'list') {
      const texts = query.getAll(wireName);
      const { element } = shape;
      if (texts.length > 0) input[name] = texts.map((text) => convertText(element!, text));
    } else {
      const text = query.get(wireName);
      if (text !== null) input[name] = convertText(shape, text);
    }
  }
}

function parseHeaders(binding: Binding, headers: IncomingHttpHeaders, input: Input): void {
  for (const [headerName, member] of binding.headers) {
    const text = headers[headerName];
    if (typeof text === 'string') input[member.name] = convertText(member.shape, text);
  }
}

function parseBody(binding: Binding, body: Uint8Array, input: Input): void {
  if (body.length === 0) return;
  const { payload, convertPayload } = binding;
  if (payload !== undefined && convertPayload === undefined) {
    input[payload.name] = body;
  } else if (payload !== undefined && convertPayload !== undefined) {
    const document = parseJson(body);
    if (document !== null) input[payload.name] = convertPayload(document);
  } else if (binding.body.length > 0) {
    const document = parseJson(body);
    if (document !== null) convertMembers(binding.body, expectObject(document), input);
  }
}

/** Compiles an operation's binding; the result is called once per request. */
export function createInputParser(operation: Operation): InputParser {
  if (operation.input === undefined) return () => ({});
  const binding = compileBinding(operation.input);
  return (parts) => {
    const input: Input = {};
    if (binding.path.length > 0) parsePath(binding, parts.params, input);
    if (parts.query !== '') parseQuery(binding, parts.query, input);
    if (binding.headers.length > 0) parseHeaders(binding, parts.headers, input);
    parseBody(binding, parts.body, input);
    return input;
  };
}
