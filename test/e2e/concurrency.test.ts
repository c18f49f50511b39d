/** Reserved concurrency from end to end: what is refused, what is throttled, and that it is undone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DeleteFunctionConcurrencyCommand,
  InvokeCommand,
  PutFunctionConcurrencyCommand,
  TooManyRequestsException,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { deploy, invoke } from './functions.ts';
import { HearthProcess } from './hearth-process.ts';

const FunctionName = 'sleeper';
let hearth: HearthProcess;
let client: LambdaClient;

before(async () => {
  hearth = await HearthProcess.start({
    driver: 'process',
    flags: ['--account-concurrency', '200', '--scaling-rate', '6'],
  });
  ({ client } = hearth);
  const sleep = 'new Promise((done) => setTimeout(done, event.ms ?? 0))';
  const text = `const id = Math.random(); exports.handler = async (event) => { await ${sleep}; return id; };`;
  await deploy(client, FunctionName, { files: { 'index.js': text } });
});
after(() => hearth.stopAndRemove());

function reserve(ReservedConcurrentExecutions: number): Promise<unknown> {
  return client.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }),
  );
}

async function refusal(): Promise<TooManyRequestsException> {
  const error = await client.send(new InvokeCommand({ FunctionName })).then(
    () => assert.fail('it was not throttled'),
    (thrown: unknown) => thrown,
  );
  assert(error instanceof TooManyRequestsException);
  return error;
}

test('the last 100 cannot be reserved', async () => {
  await assert.rejects(reserve(101), { name: 'InvalidParameterValueException' });
  await reserve(100);
});

test('of five at once two run and three are throttled, and a change keeps environments warm', async () => {
  const { result: warm } = await invoke(client, FunctionName);
  await reserve(2);
  assert.equal((await invoke(client, FunctionName)).result, warm);
  const five = Array.from({ length: 5 }, () => invoke(client, FunctionName, { ms: 1000 }));
  const settled = await Promise.allSettled(five);
  const refused = settled.filter((one) => one.status === 'rejected');
  assert.equal(settled.filter((one) => one.status === 'fulfilled').length, 2);
  assert.equal(refused.length, 3);
  for (const { reason } of refused) {
    assert(reason instanceof TooManyRequestsException);
    assert.equal(reason.$metadata.httpStatusCode, 429);
    assert.equal(reason.message, 'Rate Exceeded.');
    assert.equal(reason.Reason, 'ReservedFunctionConcurrentInvocationLimitExceeded');
    assert.equal(reason.Type, 'User');
    assert.equal(reason.retryAfterSeconds, '1');
  }
});

test('0 throttles all, and deleting the reserve restores the function', async () => {
  await reserve(0);
  assert.equal((await refusal()).Reason, 'ReservedFunctionConcurrentInvocationLimitExceeded');
  await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  assert.equal((await invoke(client, FunctionName)).status, 200);
});

test('one unit of reserve serves ten requests per second', async () => {
  await reserve(1);
  const reasons: (string | undefined)[] = [];
  for (let count = 0; count < 40; count += 1) {
    await client.send(new InvokeCommand({ FunctionName })).catch((error: unknown) => {
      assert(error instanceof TooManyRequestsException);
      reasons.push(error.Reason);
    });
  }
  assert(reasons.includes('ReservedFunctionInvocationRateLimitExceeded'), reasons.join());
});

test('new environments come at the scaling rate', async () => {
  await deploy(client, 'burst', {
    files: { 'index.js': 'exports.handler = () => new Promise((done) => setTimeout(done, 2000));' },
  });
  const eight = Array.from({ length: 8 }, () => invoke(client, 'burst'));
  const settled = await Promise.allSettled(eight);
  const reasons = settled.flatMap((one): unknown[] => {
    if (one.status === 'fulfilled') return [];
    assert(one.reason instanceof TooManyRequestsException);
    return [one.reason.Reason];
  });
  assert.deepEqual(reasons, [
    'ConcurrentInvocationLimitExceeded',
    'ConcurrentInvocationLimitExceeded',
  ]);
});
