/**
 * Every operation there and back through the AWS SDK's own serialisers: what the SDK sends is what
 * the parser reads, and what the renderer writes is what the SDK returns. Validation is left out, so
 * that every member can be filled without regard to patterns.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import * as sdk from '@aws-sdk/client-lambda';
import { operations, type Member, type Operation, type Shape } from '../model/service-model.ts';
import { createInputParser, type Input } from './parse-request.ts';
import { createOutputRenderer } from './render.ts';
import { createRouteTable } from './route-table.ts';

interface Received {
  readonly operation: Operation;
  readonly input: Input;
}

const routes = createRouteTable(
  [...operations.values()].map((operation) => [operation, operation]),
);
let received: Received | undefined;
let output: Input = {};
let client: sdk.LambdaClient;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const match = routes.find(request.method ?? '', request.url ?? '');
  assert.ok(match, `${request.method} ${request.url} has no route`);
  const { target: operation, params, query } = match;
  const { headers } = request;
  const body = await buffer(request);
  received = { operation, input: createInputParser(operation)({ params, query, headers, body }) };
  const rendered = createOutputRenderer(operation)(output);
  response.writeHead(rendered.status, rendered.headers);
  response.end(rendered.body);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(400, { 'x-amzn-errortype': 'TestFailure' });
    response.end(JSON.stringify({ message: String(error) }));
  });
});

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new sdk.LambdaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
});

after(() => {
  client.destroy();
  server.close();
});

const text = 'a b/c:%2F+é&=?#$LATEST';

function sampleOf(shape: Shape, member: Member | undefined, depth = 0): unknown {
  switch (shape.type) {
    case 'string':
      // Header values are Latin-1 by nature; no modelled one is anything else.
      return member?.location === 'header' ? 'header value' : text;
    case 'blob':
      return new Uint8Array([0, 1, 254, 255]);
    case 'timestamp':
      return new Date(1_600_000_000_000);
    case 'boolean':
      return true;
    case 'integer':
    case 'long':
      return member?.location === 'statusCode' ? 200 : 42;
    case 'double':
      return 0.5;
    case 'list':
      return depth > 6 ? [] : [sampleOf(shape.element!, undefined, depth + 1)];
    case 'map':
      return { [text]: sampleOf(shape.value!, undefined, depth + 1) };
    case 'structure':
      return sampleStructure(shape, depth + 1);
  }
}

function sampleStructure(shape: Shape, depth = 0): Input {
  return Object.fromEntries(
    shape.members.map((member) => [member.name, sampleOf(member.shape, member, depth)]),
  );
}

/** Buffers, typed arrays of the SDK and plain ones compare as byte lists, whatever their class. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Date || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

interface AnyClient {
  send(command: unknown): Promise<Record<string, unknown>>;
}

function createCommand(operation: Operation, input: Input): unknown {
  const exported = sdk as unknown as Record<string, new (input: Input) => unknown>;
  const Command = exported[`${operation.name}Command`];
  assert.ok(Command, `the SDK has no ${operation.name}Command`);
  return new Command(input);
}

describe('AWS SDK round trip', () => {
  for (const operation of operations.values()) {
    // Its answer is an event stream, which Hearth does not write yet.
    if (operation.name === 'InvokeWithResponseStream') continue;
    test(operation.name, async () => {
      const input = operation.input === undefined ? {} : sampleStructure(operation.input);
      output = operation.output === undefined ? {} : sampleStructure(operation.output);
      const answered = await (client as unknown as AnyClient).send(createCommand(operation, input));
      assert.equal(received?.operation.name, operation.name);
      assert.deepEqual(plain(received.input), plain(input));
      delete answered['$metadata'];
      assert.deepEqual(plain(answered), plain(output));
    });
  }
});
