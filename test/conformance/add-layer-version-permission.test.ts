/** AddLayerVersionPermission. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddLayerVersionPermissionCommandInput } from '@aws-sdk/client-lambda';
import { invalid, oneWins, refused } from './expect.ts';
import {
  addPermission,
  getPolicy,
  LayerName,
  refusesElsewhere,
  removePermission,
  stalePolicy,
  statementOf,
  useSharedLayer,
} from './layer-policies.ts';
import { layerArnOf } from './layers.ts';

const server = useSharedLayer();

type Input = Partial<AddLayerVersionPermissionCommandInput>;

function add(StatementId: string, input: Input = {}) {
  return addPermission(server.client, StatementId, input);
}

async function idsIn(): Promise<string[]> {
  const { Policy = '' } = await getPolicy(server.client);
  const { Statement } = JSON.parse(Policy) as { Statement: { Sid: string }[] };
  return Statement.map(({ Sid }) => Sid);
}

async function forget(...ids: string[]): Promise<void> {
  for (const id of ids) await removePermission(server.client, id);
}

test('it answers 201 with the statement as JSON and the policy’s revision', async () => {
  const root = (account: string) => ({ AWS: `arn:aws:iam::${account}:root` });
  const OrganizationId = 'o-0123456789';
  const ofOrganization = { StringEquals: { 'aws:PrincipalOrgID': OrganizationId } };
  const grants: readonly [string, Input, object][] = [
    ['account', {}, statementOf('account', root('123456789012'))],
    [
      'root',
      { Principal: 'arn:aws:iam::210987654321:root' },
      statementOf('root', root('210987654321')),
    ],
    ['all', { Principal: '*' }, statementOf('all', '*')],
    // serverless #5761 quotes an answer.
    ['org', { Principal: '*', OrganizationId }, statementOf('org', '*', ofOrganization)],
    ['by-arn', { LayerName: layerArnOf(LayerName) }, statementOf('by-arn', root('123456789012'))],
  ];
  const revisions = new Set<string | undefined>();
  for (const [id, input, statement] of grants) {
    const { $metadata, ...added } = await add(id, input);
    assert.equal($metadata.httpStatusCode, 201);
    assert.deepEqual(added, { Statement: added.Statement, RevisionId: added.RevisionId });
    assert.deepEqual(JSON.parse(added.Statement ?? ''), statement);
    assert.match(added.RevisionId ?? '', /^[0-9a-f-]{36}$/);
    revisions.add(added.RevisionId);
  }
  assert.equal(revisions.size, grants.length);
  const ids = grants.map(([id]) => id);
  assert.deepEqual(await idsIn(), ids);
  await forget(...ids);
});

test('of permissions at once with one RevisionId exactly one is added', async () => {
  const { RevisionId } = await add('first');
  const calls = Array.from({ length: 8 }, (_, index) => add(`raced-${index}`, { RevisionId }));
  const won = await oneWins(calls);
  const ids = await idsIn();
  assert.equal(ids.length, 2);
  assert.equal((await getPolicy(server.client)).RevisionId, won.RevisionId);
  await stalePolicy(add('late', { RevisionId }));
  await forget(...ids);
});

test('a revision is asked for in vain where there is no policy yet', async () => {
  await stalePolicy(add('early', { RevisionId: 'none yet' }));
});

test('permissions at once without RevisionId are all added', async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `s${index}`);
  await Promise.all(ids.map((id) => add(id)));
  assert.deepEqual((await idsIn()).sort(), ids);
  await forget(...ids);
});

test('a policy has 20 KiB at most', async () => {
  const ids: string[] = [];
  let refusal: Error | undefined;
  for (let index = 0; refusal === undefined && index < 200; index += 1) {
    const id = `${index}`.padStart(100, 'x');
    try {
      await add(id);
      ids.push(id);
    } catch (error) {
      refusal = error as Error;
    }
  }
  const { Policy = '' } = await getPolicy(server.client);
  const bytes = Buffer.byteLength(Policy);
  assert.ok(bytes <= 20_480);
  const next = bytes + Math.round(bytes / ids.length);
  assert.ok(next > 20_480, 'another one of this size did not fit');
  await refused(
    Promise.reject(refusal),
    'PolicyLengthExceededException',
    /^The final policy size \(20\d\d\d\) is bigger than the limit \(20480\)\.$/,
  );
  await forget(...ids);
});

test('it refuses statements that are there, and what makes no sense', async () => {
  await add('once');
  for (const RevisionId of [undefined, 'stale']) {
    await refused(
      add('once', { RevisionId }),
      'ResourceConflictException',
      'The statement id (once) provided already exists. Please provide a new statement id, or ' +
        'remove the existing statement.',
    );
  }
  await refused(
    add('org', { OrganizationId: 'o-0123456789' }),
    'InvalidParameterValueException',
    'OrganizationId can only be given with the principal *.',
  );
  // mooyoul/serverless-latest-layer-version #31
  await invalid(
    add('action', { Action: 'ListLayerVersions' }),
    'action',
    /regular expression pattern: lambda:GetLayerVersion$/,
  );
  await invalid(add('principal', { Principal: 'someone' }), 'principal');
  await invalid(add('org', { Principal: '*', OrganizationId: 'org' }), 'organizationId');
  await refusesElsewhere('AddLayerVersionPermission', (input) => add('elsewhere', input));
  assert.deepEqual(await idsIn(), ['once']);
});
