/**
 * Sends an operation's input as it is, right or wrong: the SDK would not send what the model forbids.
 * Members are named as in the model and hold what travels in JSON; those of the path, the query and
 * the headers become text.
 */
import { Agent, request as httpRequest } from 'node:http';
import type { Member, Operation } from '../../src/model/service-model.ts';

/** By the model's member names. */
export type WireInput = Readonly<Record<string, unknown>>;

export interface WireAnswer {
  readonly status: number;
  /** The exception's name; empty when the operation succeeded. */
  readonly errorName: string;
  /** The parsed body; undefined when there is none. */
  readonly body: unknown;
  readonly message: string;
}

export class WireClient {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  send(operation: Operation, input: WireInput): Promise<WireAnswer> {
    const { path, headers, body } = wireParts(operation, input);
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.#url);
      const options = {
        ...{ hostname, port, path, headers, agent: this.#agent, method: operation.method },
      };
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const name = response.headers['x-amzn-errortype'];
          const errorName = typeof name === 'string' ? name.split(':')[0]! : '';
          const parsed = parsedOr(Buffer.concat(chunks).toString());
          const { message, Message } = (parsed ?? {}) as Record<string, unknown>;
          resolve({
            status: response.statusCode ?? 0,
            errorName,
            body: parsed,
            message: String(Message ?? message ?? ''),
          });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === '' ? undefined : text;
  }
}

interface WireParts {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

function wireParts({ path, requiredQuery, input: shape }: Operation, input: WireInput): WireParts {
  const members = shape?.members ?? [];
  const given = (location: Member['location']): [Member, unknown][] =>
    members
      .filter((member) => member.location === location && input[member.name] !== undefined)
      .map((member) => [member, input[member.name]]);
  const labels = new Map(given('uri').map(([{ wireName }, value]) => [wireName, textOf(value)]));
  const labelled = path.replace(/\{(\w+)\+?\}/gu, (_, name: string) =>
    encodeURIComponent(labels.get(name) ?? ''),
  );
  const query = new URLSearchParams(
    requiredQuery.map(([name, value]): [string, string] => [name, value]),
  );
  for (const [{ wireName }, value] of given('querystring')) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(wireName, textOf(one));
  }
  const body = bodyOf(members, input);
  return {
    path: query.size === 0 ? labelled : `${labelled}?${query.toString()}`,
    headers: {
      ...Object.fromEntries(given('header').map(([{ wireName }, v]) => [wireName, textOf(v)])),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(body.length) }),
    },
    body,
  };
}

function bodyOf(members: readonly Member[], input: WireInput): Buffer | undefined {
  const payload = members.find(({ location }) => location === 'payload');
  if (payload !== undefined) {
    const value = input[payload.name];
    if (value === undefined) return undefined;
    return payload.shape.type === 'blob'
      ? Buffer.from(String(value), 'base64')
      : Buffer.from(JSON.stringify(value));
  }
  const inBody = members.filter(({ location }) => location === 'body');
  if (inBody.length === 0) return undefined;
  const entries = inBody.map(({ name, wireName }) => [wireName, input[name]]);
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
