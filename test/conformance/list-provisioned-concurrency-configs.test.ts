/** ListProvisionedConcurrencyConfigs: by qualifier. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListProvisionedConcurrencyConfigsCommand,
  paginateListProvisionedConcurrencyConfigs,
  type ListProvisionedConcurrencyConfigsCommandInput,
  type ListProvisionedConcurrencyConfigsCommandOutput,
} from '@aws-sdk/client-lambda';
import { invalid, nameForms, notFound, pagesThrough, refused } from './expect.ts';
import { assertWholeSeconds, createAlias, putProvisioned } from './provisioned.ts';
import { arnOf, createActive, useServer } from './server.ts';

const shared = 'shared';
const aliases = Array.from({ length: 52 }, (_, index) => `a${100 + index}`);
const expected = aliases.map((name) => `${arnOf(shared)}:${name}`);

const server = useServer({}, async (client) => {
  for (const name of [shared, 'bare']) await createActive(client, name, { Publish: true });
  for (const [index, name] of aliases.entries()) {
    await createAlias(client, shared, name);
    await putProvisioned(client, shared, name, index + 1 > 5 ? 1 : index + 1);
  }
});

type Input = Partial<ListProvisionedConcurrencyConfigsCommandInput>;

function list(input: Input = {}) {
  const request = { FunctionName: shared, ...input };
  return server.client.send(new ListProvisionedConcurrencyConfigsCommand(request));
}

function arns({
  ProvisionedConcurrencyConfigs = [],
}: ListProvisionedConcurrencyConfigsCommandOutput) {
  return ProvisionedConcurrencyConfigs.map(({ FunctionArn }) => FunctionArn);
}

test('it gives configurations with every member', async () => {
  const { $metadata, ...page } = await list({ MaxItems: 2 });
  assert.equal($metadata.httpStatusCode, 200);
  const configs = page.ProvisionedConcurrencyConfigs ?? [];
  assert.deepEqual(page, {
    NextMarker: page.NextMarker,
    ProvisionedConcurrencyConfigs: [1, 2].map((requested, index) => ({
      FunctionArn: expected[index],
      RequestedProvisionedConcurrentExecutions: requested,
      AvailableProvisionedConcurrentExecutions: 0,
      AllocatedProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
      LastModified: configs[index]?.LastModified,
    })),
  });
  for (const { LastModified } of configs) assertWholeSeconds(LastModified);
});

test('it pages to the end, by the SDK paginator, too', async () => {
  await pagesThrough(expected, list, arns);
  const found: (string | undefined)[] = [];
  const config = { client: server.client, pageSize: 20 };
  const pages = paginateListProvisionedConcurrencyConfigs(config, { FunctionName: shared });
  for await (const page of pages) found.push(...arns(page));
  assert.deepEqual(found, expected);
});

test('it takes all forms of a name, also of a function that has none', async () => {
  for (const form of [...nameForms('bare'), 'bare:$LATEST']) {
    const { $metadata, ...page } = await list({ FunctionName: form });
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(page, { ProvisionedConcurrencyConfigs: [] });
  }
});

test('it refuses what is not there, strange markers, and values out of bounds', async () => {
  await notFound(list({ FunctionName: 'unknown' }), 'unknown');
  const { NextMarker } = await list({ MaxItems: 1 });
  for (const wrong of [{ Marker: 'nonsense' }, { FunctionName: 'bare', Marker: NextMarker }]) {
    await refused(
      list(wrong),
      'InvalidParameterValueException',
      'The marker is not one that a listing gave.',
    );
  }
  await invalid(list({ MaxItems: 0 }), 'maxItems', /or equal to 1$/);
  await invalid(list({ MaxItems: 51 }), 'maxItems', /or equal to 50$/);
  await refused(
    list({ FunctionName: `${shared}:1` }),
    'InvalidParameterValueException',
    'Current operation does not support versions other than $LATEST',
  );
});
