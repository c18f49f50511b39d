/**
 * Invoke on the wire: which members and headers answers have, and what is refused before anything runs.
 * How functions run and fail is test/e2e/invoke.test.ts; here one runs where an answer needs it.
 */
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { after, before, describe, test } from 'node:test';
import {
  CreateAliasCommand,
  InvokeCommand,
  PutFunctionConcurrencyCommand,
  type InvokeCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { zipOf } from '../../src/testing/zip-builder.ts';
import { HearthProcess } from '../e2e/hearth-process.ts';
import { invalid, nameForms, notFound, refused } from './expect.ts';
import { accountId, arnOf, createActive, perTenant, region } from './server.ts';

const shared = 'shared';
const source = `exports.handler = async (event) => {
  if (event.fail) throw new TypeError('asked for');
  if (event.print) process.stdout.write(Buffer.from(event.print, 'hex'));
  return event;
};`;

const tenantSource = 'exports.handler = async (event, { tenantId }) => tenantId;';

describe('Invoke', () => {
  let hearth: HearthProcess;
  let client: LambdaClient;

  before(async () => {
    hearth = await HearthProcess.start({ driver: 'process' });
    ({ client } = hearth);
    const Code = { ZipFile: zipOf({ 'index.js': source }) };
    await createActive(client, shared, { Runtime: 'nodejs24.x', Code, Publish: true });
    const alias = { FunctionName: shared, Name: 'live', FunctionVersion: '1' };
    await client.send(new CreateAliasCommand(alias));
  });
  after(() => hearth.stopAndRemove());

  async function invoke(FunctionName: string, input: Partial<InvokeCommandInput> = {}) {
    const { $metadata, Payload, ...answer } = await client.send(
      new InvokeCommand({ FunctionName, ...input }),
    );
    return { ...answer, status: $metadata.httpStatusCode, text: Payload?.transformToString() };
  }

  test('it answers with status, version and payload alone', async () => {
    const input = { Payload: '{"n": [1, "ü"]}' };
    assert.deepEqual(await invoke(shared, input), {
      status: 200,
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
      text: '{"n":[1,"ü"]}',
    });
    assert.equal((await invoke(shared)).text, '{}');
  });

  test('the log’s tail comes when it is asked for, the error’s kind when there is one', async () => {
    const failed = await invoke(shared, { Payload: '{"fail":true}', LogType: 'Tail' });
    assert.equal(failed.status, 200);
    assert.equal(failed.FunctionError, 'Unhandled');
    const log = Buffer.from(failed.LogResult ?? '', 'base64').toString();
    assert.match(log, /^REPORT RequestId: /m);
    const document = JSON.parse(failed.text ?? '') as Record<string, unknown>;
    assert.equal(document['errorType'], 'TypeError');
    assert.equal(document['errorMessage'], 'asked for');
    assert.equal('LogResult' in (await invoke(shared, { LogType: 'None' })), false);
  });

  // radkawar/stackd docs/lambda.md
  test('what is no text in the log’s tail is replaced', async () => {
    const print = Buffer.concat([Buffer.from('<'), Buffer.from([0xff, 0x80]), Buffer.from('ü>\n')]);
    const Payload = JSON.stringify({ print: print.toString('hex') });
    const tail = Buffer.from(
      (await invoke(shared, { Payload, LogType: 'Tail' })).LogResult ?? '',
      'base64',
    );
    assert.ok(isUtf8(tail));
    assert.match(tail.toString(), /<\ufffd\ufffdü>\n/);
  });

  // floci #2821: measured on the real service.
  test('it names the version that ran, for all forms of a name and qualifiers', async () => {
    for (const form of nameForms(shared)) {
      assert.equal((await invoke(form)).ExecutedVersion, '$LATEST');
      for (const qualifier of ['1', 'live']) {
        const beside = await invoke(form, { Qualifier: qualifier });
        assert.equal(beside.ExecutedVersion, '1');
        assert.equal((await invoke(`${form}:${qualifier}`)).ExecutedVersion, '1');
      }
    }
  });

  test('headers are those of the service', async () => {
    const url = `${hearth.url}/2015-03-31/functions/${shared}/invocations?Qualifier=live`;
    const response = await fetch(url, { method: 'POST', body: '{"fail":true}' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(response.headers.get('x-amz-executed-version'), '1');
    assert.equal(response.headers.get('x-amz-function-error'), 'Unhandled');
    assert.match(response.headers.get('x-amzn-requestid') ?? '', /^[0-9a-f-]{36}$/);
    assert.equal(response.headers.get('x-amz-log-result'), null);
    await response.arrayBuffer();
  });

  test('a dry run answers 204 with nothing, or refuses what would be refused', async () => {
    const dry = await invoke(shared, { InvocationType: 'DryRun' });
    assert.equal(dry.status, 204);
    assert.equal(dry.StatusCode, 204);
    assert.equal(dry.text ?? '', '');
    await notFound(invoke('unknown', { InvocationType: 'DryRun' }), 'unknown', '$LATEST');
  });

  test('it refuses what is not there; without a qualifier $LATEST is', async () => {
    await notFound(invoke('unknown'), 'unknown', '$LATEST');
    await notFound(invoke('unknown', { Qualifier: '1' }), 'unknown', '1');
    await notFound(invoke(shared, { Qualifier: '99' }), shared, '99');
    await notFound(invoke(shared, { Qualifier: 'absent' }), shared, 'absent');
    await refused(
      invoke(`${shared}:1`, { Qualifier: 'live' }),
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
    await refused(
      invoke(arnOf(shared).replace(region, 'eu-west-1')),
      'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    );
    await refused(
      invoke(arnOf(shared).replace(accountId, '123456789012')),
      'AccessDeniedException',
      /is not authorized to perform/,
    );
    await invalid(invoke('a b'), 'functionName');
    await invalid(invoke(shared, { Qualifier: 'a b' }), 'qualifier');
    await invalid(invoke(shared, { InvocationType: 'Later' as 'Event' }), 'invocationType');
    await invalid(invoke(shared, { LogType: 'All' as 'Tail' }), 'logType');
  });

  test('it refuses payloads and client contexts that are not JSON', async () => {
    await refused(
      invoke(shared, { Payload: 'not json' }),
      'InvalidRequestContentException',
      /^Could not parse request body into json: Could not parse payload into json: Unrecognized token/,
    );
    for (const ClientContext of ['###', Buffer.from('no json').toString('base64')]) {
      // boto3 #2153
      await refused(
        invoke(shared, { ClientContext }),
        'InvalidRequestContentException',
        'Client context must be a valid Base64-encoded JSON object.',
      );
    }
  });

  test('a function with tenant isolation is invoked for a tenant, and no other is', async () => {
    const Code = { ZipFile: zipOf({ 'index.js': tenantSource }) };
    const tenants = 'tenants';
    await createActive(client, tenants, { ...perTenant, Runtime: 'nodejs24.x', Code });
    // All that the service model allows.
    const TenantId = 'Blue tenant_1.a:b/c=d+e-f@g';
    assert.equal((await invoke(tenants, { TenantId })).text, JSON.stringify(TenantId));
    const longest = 'x'.repeat(256);
    assert.equal((await invoke(tenants, { TenantId: longest })).text, JSON.stringify(longest));
    for (const InvocationType of ['RequestResponse', 'DryRun'] as const) {
      await refused(
        invoke(tenants, { InvocationType }),
        'InvalidParameterValueException',
        'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
      );
      await refused(
        invoke(shared, { TenantId, InvocationType }),
        'InvalidParameterValueException',
        'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
      );
      await invalid(invoke(tenants, { TenantId: `${longest}x`, InvocationType }), 'tenantId');
      await invalid(invoke(tenants, { TenantId: 'blue,red', InvocationType }), 'tenantId');
    }
    await notFound(invoke('unknown', { TenantId }), 'unknown', '$LATEST');
    // The SDK does not send these: an empty name, and two.
    for (const names of [[''], ['red', 'blue']]) {
      const headers = names.map((name) => ['X-Amz-Tenant-Id', name] as [string, string]);
      const url = `${hearth.url}/2015-03-31/functions/${tenants}/invocations`;
      const response = await fetch(url, { method: 'POST', headers });
      assert.equal(response.status, 400, names.join());
      assert.match(await response.text(), /'tenantId' failed to satisfy constraint/);
    }
  });

  test('payloads have 6 MiB at most', async () => {
    const bytesMax = 6 * 1024 * 1024;
    const payload = (bytes: number): Buffer => Buffer.from(`"${'x'.repeat(bytes - 2)}"`);
    const most = await invoke(shared, { Payload: payload(bytesMax), InvocationType: 'DryRun' });
    assert.equal(most.status, 204);
    await refused(
      invoke(shared, { Payload: payload(bytesMax + 1) }),
      'RequestEntityTooLargeException',
      `Request must be smaller than ${bytesMax} bytes for the InvokeFunction operation`,
    );
  });

  test('a function whose reserve is 0 is throttled, with the reason and when to come again', async () => {
    const reserve = { FunctionName: shared, ReservedConcurrentExecutions: 0 };
    await client.send(new PutFunctionConcurrencyCommand(reserve));
    await assert.rejects(invoke(shared), {
      name: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      Type: 'User',
      retryAfterSeconds: '1',
    });
    const dry = await invoke(shared, { InvocationType: 'DryRun' });
    assert.equal(dry.status, 204);
  });
});
