import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ListCodeSigningConfigsCommand,
  paginateListCodeSigningConfigs,
} from '@aws-sdk/client-lambda';
import { createConfig } from './code-signing.ts';
import { useServer } from './server.ts';

const server = useServer();

test('ListCodeSigningConfigs gives none at first', async () => {
  const none = await server.client.send(new ListCodeSigningConfigsCommand({}));
  assert.deepEqual(none.CodeSigningConfigs, []);
  assert.equal(none.NextMarker, undefined);
});

test('ListCodeSigningConfigs gives each as it is, page by page', async () => {
  const made = await Promise.all(
    [...'abcdefg'].map((Description) => createConfig(server.client, { Description })),
  );
  const expected = made.sort((a, b) => (a.CodeSigningConfigArn < b.CodeSigningConfigArn ? -1 : 1));
  const all = await server.client.send(new ListCodeSigningConfigsCommand({}));
  assert.equal(all.$metadata.httpStatusCode, 200);
  assert.deepEqual(all.CodeSigningConfigs, expected);
  assert.equal(all.NextMarker, undefined);
  for (const pageSize of [1, 2, 3, 7, 50]) {
    const found: unknown[] = [];
    for await (const page of paginateListCodeSigningConfigs(
      { client: server.client, pageSize },
      {},
    )) {
      assert.ok((page.CodeSigningConfigs ?? []).length <= pageSize);
      found.push(...(page.CodeSigningConfigs ?? []));
    }
    assert.deepEqual(found, expected);
  }
});

test('ListCodeSigningConfigs gives more than one read of the store', async () => {
  const count = 520;
  for (let made = 0; made < count; made += 40) {
    await Promise.all(Array.from({ length: 40 }, () => createConfig(server.client)));
  }
  const all = await server.client.send(new ListCodeSigningConfigsCommand({ MaxItems: 10_000 }));
  assert.ok((all.CodeSigningConfigs ?? []).length >= count);
  assert.equal(all.NextMarker, undefined);
  const part = await server.client.send(new ListCodeSigningConfigsCommand({ MaxItems: 501 }));
  assert.deepEqual(part.CodeSigningConfigs, all.CodeSigningConfigs?.slice(0, 501));
  const rest = await server.client.send(
    new ListCodeSigningConfigsCommand({ Marker: part.NextMarker }),
  );
  assert.deepEqual(rest.CodeSigningConfigs, all.CodeSigningConfigs?.slice(501));
});

test('ListCodeSigningConfigs refuses markers that it did not give, and page sizes out of bounds', async () => {
  const list = (input: { Marker?: string; MaxItems?: number }) =>
    server.client.send(new ListCodeSigningConfigsCommand(input));
  for (const Marker of ['nonsense', Buffer.from('csc-0:csc-1').toString('base64url')]) {
    await assert.rejects(list({ Marker }), { name: 'InvalidParameterValueException' });
  }
  for (const MaxItems of [0, 10_001]) {
    await assert.rejects(list({ MaxItems }), { name: 'ValidationException' });
  }
});
