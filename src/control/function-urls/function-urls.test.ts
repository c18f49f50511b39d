/** Function URLs in the control plane: their addresses, and what becomes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionUrlCollections, type FunctionUrlRecord } from '../../model/function-url.ts';
import type { Cors } from '../../model/generated/api-types.ts';
import { activeRig, createRequest, type ControlRig } from '../../testing/control-rig.ts';

const FunctionName = 'rig';
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:rig';
const client = { baseUrl: 'http://127.0.0.1:9600' };
const isoTime = '2026-11-23T12:00:00.123Z';

/** A rig whose function has version 1 and the alias `live` for it. */
async function aliasedRig(t: Parameters<typeof activeRig>[0]): Promise<ControlRig> {
  const rig = await activeRig(t);
  await rig.control.operations.PublishVersion({ FunctionName });
  await rig.control.operations.CreateAlias({ FunctionName, Name: 'live', FunctionVersion: '1' });
  return rig;
}

function create(rig: ControlRig, Qualifier?: string) {
  const input = { FunctionName, Qualifier, AuthType: 'NONE' } as const;
  return rig.control.operations.CreateFunctionUrlConfig(input, client);
}

function get(rig: ControlRig, Qualifier?: string) {
  return rig.control.operations.GetFunctionUrlConfig({ FunctionName, Qualifier }, client);
}

function update(rig: ControlRig, changes: { readonly Cors?: Cors; readonly AuthType?: 'AWS_IAM' }) {
  return rig.control.operations.UpdateFunctionUrlConfig({ FunctionName, ...changes }, client);
}

async function stored(rig: ControlRig): Promise<Map<string, FunctionUrlRecord>> {
  const found = await rig.store.list<FunctionUrlRecord>(functionUrlCollections.functionUrl, {
    limit: 10,
  });
  return new Map(found.map(({ id, value }) => [id, value]));
}

test('the document has what serving a URL needs; its id is drawn once', async (t) => {
  const rig = await aliasedRig(t);
  await create(rig);
  await create(rig, 'live');
  const records = await stored(rig);
  assert.deepEqual([...records.keys()], ['$LATEST', 'live']);
  const latest = records.get('$LATEST') ?? assert.fail();
  assert.deepEqual(latest, {
    urlId: latest.urlId,
    authType: 'NONE',
    invokeMode: 'BUFFERED',
    createdAt: isoTime,
    lastModified: isoTime,
  });
  assert.match(latest.urlId, /^[a-z0-9]{32}$/);
  assert.notEqual(latest.urlId, records.get('live')?.urlId);
  rig.clock.advance(1_000);
  await update(rig, { AuthType: 'AWS_IAM', Cors: { AllowOrigins: ['*'], MaxAge: undefined } });
  await rig.restart();
  assert.deepEqual((await stored(rig)).get('$LATEST'), {
    ...latest,
    authType: 'AWS_IAM',
    cors: { AllowOrigins: ['*'] },
    lastModified: '2026-11-23T12:00:01.123Z',
  });
});

test('the address is where the client reached the server, each time', async (t) => {
  const rig = await aliasedRig(t);
  const { FunctionUrl } = await create(rig);
  const urlId = (await stored(rig)).get('$LATEST')?.urlId;
  assert.equal(FunctionUrl, `http://${urlId}.lambda-url.us-east-1.localhost:9600/`);
  const other = { baseUrl: 'http://hearth:80' };
  const elsewhere = await rig.control.operations.GetFunctionUrlConfig({ FunctionName }, other);
  assert.equal(elsewhere.FunctionUrl, `http://${urlId}.lambda-url.us-east-1.hearth/`);
});

test('a URL outlives its alias and is that of the next one; it goes with its function', async (t) => {
  // radkawar/stackd's notes of the service, of aliases.
  const rig = await aliasedRig(t);
  const { CreateAlias, DeleteAlias, DeleteFunction } = rig.control.operations;
  const first = await create(rig, 'live');
  assert.equal(first.FunctionArn, `${arn}:live`);
  await create(rig);
  await DeleteAlias({ FunctionName, Name: 'live' });
  const kept = await get(rig, 'live');
  assert.equal(kept.FunctionUrl, first.FunctionUrl);
  await assert.rejects(create(rig, 'live'), { message: 'Function does not exist' });
  await CreateAlias({ FunctionName, Name: 'live', FunctionVersion: '1' });
  assert.deepEqual(await get(rig, 'live'), kept);
  await assert.rejects(create(rig, 'live'), { code: 'ResourceConflictException' });
  await DeleteFunction({ FunctionName });
  assert.equal((await stored(rig)).size, 0);
  await rig.control.operations.CreateFunction(createRequest());
  await assert.rejects(get(rig), { code: 'ResourceNotFoundException' });
});

test('the URL of an alias that is gone can be deleted, and is another then', async (t) => {
  const rig = await aliasedRig(t);
  const { CreateAlias, DeleteAlias, DeleteFunctionUrlConfig } = rig.control.operations;
  const { FunctionUrl } = await create(rig, 'live');
  await DeleteAlias({ FunctionName, Name: 'live' });
  await DeleteFunctionUrlConfig({ FunctionName, Qualifier: 'live' });
  assert.equal((await stored(rig)).size, 0);
  await CreateAlias({ FunctionName, Name: 'live', FunctionVersion: '1' });
  await assert.rejects(get(rig, 'live'), { code: 'ResourceNotFoundException' });
  assert.notEqual((await create(rig, 'live')).FunctionUrl, FunctionUrl);
});

test('of several that create a URL at once one succeeds', async (t) => {
  const rig = await aliasedRig(t);
  const results = await Promise.allSettled([1, 2, 3].map(() => create(rig, 'live')));
  const created = results.filter(({ status }) => status === 'fulfilled');
  assert.equal(created.length, 1);
});

test('CORS settings: what could never match is refused and changes nothing', async (t) => {
  const rig = await aliasedRig(t);
  await create(rig);
  const good: Cors = { AllowOrigins: ['https://*.example.com', 'http://localhost:60905', '*'] };
  await update(rig, { Cors: good });
  const origins = /The origin .* in AllowOrigins is invalid/;
  const headers = /The header name .* is invalid/;
  const methods =
    /^You can use GET, PUT, POST, DELETE, HEAD, PATCH, and the wildcard character \(\*\)\.$/;
  for (const [Cors, message] of [
    [{ MaxAge: 1 }, /^You can't leave AllowOrigins as empty when Cors is enabled\.$/],
    [{ AllowOrigins: [] }, /AllowOrigins/],
    [{ AllowOrigins: ['example.com'] }, origins],
    [{ AllowOrigins: ['*', 'https://example.com/'] }, origins],
    [{ AllowOrigins: ['https://'] }, origins],
    [{ ...good, AllowMethods: ['GET', 'get'] }, methods],
    [{ ...good, AllowMethods: ['TRACE'] }, methods],
    [{ ...good, AllowMethods: [''] }, methods],
    [{ ...good, AllowHeaders: ['X-Fine', 'not fine'] }, headers],
    [{ ...good, ExposeHeaders: ['a:b'] }, headers],
    [{ ...good, ExposeHeaders: [''] }, headers],
  ] as const) {
    await assert.rejects(update(rig, { Cors: Cors as Cors }), {
      code: 'InvalidParameterValueException',
      message,
    });
  }
  assert.deepEqual((await get(rig)).Cors, good);
  const { Cors: none } = await update(rig, { Cors: {} });
  assert.equal(none, undefined);
});
