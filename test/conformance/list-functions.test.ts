import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  ListFunctionsCommand,
  paginateListFunctions,
} from '@aws-sdk/client-lambda';
import { functionInput, useServer } from './server.ts';

const server = useServer();
const names = Array.from({ length: 120 }, (_, index) => `f${100 + index}`);

test('ListFunctions pages through more than two pages, by the SDK paginator', async () => {
  for (let start = 0; start < names.length; start += 20) {
    await Promise.all(
      names
        .slice(start, start + 20)
        .map((name) => server.client.send(new CreateFunctionCommand(functionInput(name)))),
    );
  }
  for (const pageSize of [50, 7]) {
    const found: (string | undefined)[] = [];
    for await (const page of paginateListFunctions({ client: server.client, pageSize }, {})) {
      found.push(...(page.Functions ?? []).map(({ FunctionName }) => FunctionName));
    }
    assert.deepEqual(found, names);
  }
});

test('ListFunctions gives at most 50 whatever is asked for, and leaves out states', async () => {
  const page = await server.client.send(new ListFunctionsCommand({ MaxItems: 10_000 }));
  assert.equal(page.Functions?.length, 50);
  assert.notEqual(page.NextMarker, undefined);
  const [first] = page.Functions ?? [];
  assert.equal(first?.Version, '$LATEST');
  assert.equal(first?.State, undefined);
  assert.equal(first?.LastUpdateStatus, undefined);
  assert.equal(first?.RuntimeVersionConfig, undefined);
});

test('ListFunctions with ALL gives versions too', async () => {
  const input = functionInput('a-published', { Publish: true });
  await server.client.send(new CreateFunctionCommand(input));
  const page = await server.client.send(
    new ListFunctionsCommand({ FunctionVersion: 'ALL', MaxItems: 3 }),
  );
  const shown = page.Functions?.map(({ FunctionArn }) =>
    FunctionArn?.split(':').slice(6).join(':'),
  );
  assert.deepEqual(shown, ['a-published:$LATEST', 'a-published:1', 'f100:$LATEST']);
});

test('ListFunctions refuses a marker that is none of its own', async () => {
  await assert.rejects(server.client.send(new ListFunctionsCommand({ Marker: '###' })), {
    name: 'InvalidParameterValueException',
  });
});
