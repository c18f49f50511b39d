/** RemoveLayerVersionPermission. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemoveLayerVersionPermissionCommandInput } from '@aws-sdk/client-lambda';
import { oneWins, refused } from './expect.ts';
import {
  addPermission,
  getPolicy,
  LayerName,
  noPolicy,
  refusesElsewhere,
  removePermission,
  stalePolicy,
  statementOf,
  useSharedLayer,
} from './layer-policies.ts';
import { layerArnOf } from './layers.ts';

const server = useSharedLayer();

function add(StatementId: string) {
  return addPermission(server.client, StatementId, { Principal: '*' });
}

type Input = Partial<RemoveLayerVersionPermissionCommandInput>;

async function remove(StatementId: string, input: Input = {}): Promise<true> {
  const { $metadata, ...answer } = await removePermission(server.client, StatementId, input);
  assert.equal($metadata.httpStatusCode, 204);
  assert.deepEqual(answer, {});
  return true;
}

async function statements(): Promise<unknown> {
  const { Policy = '' } = await getPolicy(server.client);
  return (JSON.parse(Policy) as { Statement: unknown }).Statement;
}

test('it answers 204; the others stay, with another revision; the last takes the policy', async () => {
  for (const id of ['one', 'two', 'three']) await add(id);
  const before = await getPolicy(server.client);
  await remove('two');
  assert.notEqual((await getPolicy(server.client)).RevisionId, before.RevisionId);
  assert.deepEqual(await statements(), [statementOf('one', '*'), statementOf('three', '*')]);
  await remove('one', { LayerName: layerArnOf(LayerName) });
  await remove('three');
  await noPolicy(getPolicy(server.client));
});

test('of removals at once with one RevisionId exactly one is done', async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `raced-${index}`);
  for (const id of ids) await add(id);
  const { RevisionId } = await getPolicy(server.client);
  await oneWins(ids.map((id) => remove(id, { RevisionId })));
  assert.equal(((await statements()) as unknown[]).length, 7);
  await stalePolicy(remove('raced-0', { RevisionId }));
  for (const { Sid } of (await statements()) as { Sid: string }[]) {
    await remove(Sid, { RevisionId: (await getPolicy(server.client)).RevisionId });
  }
  await noPolicy(getPolicy(server.client));
});

test('it refuses what is not there, or not ours', async () => {
  const notThere = 'Statement never is not found in resource policy.';
  await refused(remove('never'), 'ResourceNotFoundException', notThere);
  await add('there');
  await refused(remove('never'), 'ResourceNotFoundException', notThere);
  await stalePolicy(remove('there', { RevisionId: 'stale' }));
  await refusesElsewhere('RemoveLayerVersionPermission', (input) => remove('there', input));
  assert.deepEqual(await statements(), [statementOf('there', '*')]);
});
