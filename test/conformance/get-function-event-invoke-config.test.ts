import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetFunctionEventInvokeConfigCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import {
  accountId,
  arnOf,
  createAliased,
  membersOf,
  refused,
  region,
  useServer,
} from './server.ts';

const server = useServer();

function get(FunctionName: string, Qualifier?: string) {
  return server.client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier }));
}

test('what was put, for $LATEST, a version and an alias', async () => {
  await createAliased(server.client, 'read');
  const Destination = `arn:aws:sqs:${region}:${accountId}:queue`;
  for (const [index, Qualifier] of [undefined, '1', 'live'].entries()) {
    const putting = new PutFunctionEventInvokeConfigCommand({
      ...{ FunctionName: 'read', Qualifier, MaximumRetryAttempts: index },
      DestinationConfig: { OnFailure: { Destination } },
    });
    const put = membersOf(await server.client.send(putting));
    const { $metadata, ...found } = await get('read', Qualifier);
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(found, put);
    assert.deepEqual(membersOf(await get(`read:${Qualifier ?? '$LATEST'}`)), put);
  }
});

test('LastModified is in seconds since 1970, with a fraction', async () => {
  await createAliased(server.client, 'timed');
  const before = Date.now();
  const putting = { FunctionName: 'timed', MaximumEventAgeInSeconds: 60 };
  await server.client.send(new PutFunctionEventInvokeConfigCommand(putting));
  const path = '/2019-09-25/functions/timed/event-invoke-config';
  const answer = (await (await fetch(`${server.url}${path}`)).json()) as { LastModified: unknown };
  assert.ok(typeof answer.LastModified === 'number');
  assert.ok(answer.LastModified >= before / 1000 && answer.LastModified <= Date.now() / 1000);
});

test('no configuration, no version, no alias and no function are told in the same words', async () => {
  await createAliased(server.client, 'without');
  for (const [name, qualifier] of [
    ['without'],
    ['without', '$LATEST'],
    ['without', '1'],
    ['without', 'live'],
    ['without', '2'],
    ['without', 'absent'],
    ['absent'],
  ] as const) {
    await assert.rejects(
      get(name, qualifier),
      refused(
        'ResourceNotFoundException',
        `The function ${arnOf(name)}:${qualifier ?? '$LATEST'} doesn't have an EventInvokeConfig`,
      ),
    );
  }
});
