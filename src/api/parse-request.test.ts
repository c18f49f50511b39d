import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isApiError } from '../model/errors.ts';
import type { ApiOperationName } from '../model/generated/api-types.ts';
import { operationNamed } from '../model/service-model.ts';
import { createInputParser, type Input, type RequestParts } from './parse-request.ts';

function parse(name: ApiOperationName, parts: Partial<RequestParts> & { json?: unknown }): Input {
  const { json, ...rest } = parts;
  const body = json === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(json));
  return createInputParser(operationNamed(name))({
    params: {},
    query: '',
    headers: {},
    body,
    ...rest,
  });
}

function refusal(name: ApiOperationName, parts: Parameters<typeof parse>[1]): string {
  try {
    parse(name, parts);
  } catch (error) {
    if (isApiError(error) && error.code === 'SerializationException') return error.message;
    throw error;
  }
  assert.fail('the request was accepted');
}

describe('input parser', () => {
  test('binds path, query, headers and payload', () => {
    const body = Buffer.from([0, 1, 255]);
    const input = parse('Invoke', {
      params: { FunctionName: 'f' },
      query: 'Qualifier=%24LATEST&Other=1',
      headers: { 'x-amz-log-type': 'Tail', 'x-amz-client-context': 'e30=', 'x-other': 'y' },
      body,
    });
    assert.deepEqual(input, {
      FunctionName: 'f',
      Qualifier: '$LATEST',
      LogType: 'Tail',
      ClientContext: 'e30=',
      Payload: body,
    });
    assert.equal(input['Payload'], body, 'the payload is not copied');
  });

  test('an empty payload is no payload', () => {
    const input = parse('Invoke', { params: { FunctionName: 'f' } });
    assert.deepEqual(input, { FunctionName: 'f' });
  });

  test('converts JSON members, ignores unknown and null ones', () => {
    const input = parse('CreateFunction', {
      json: {
        FunctionName: 'f',
        Timeout: 3.9,
        Publish: true,
        Handler: null,
        Unknown: { deep: [1] },
        Code: { ZipFile: Buffer.from('zip').toString('base64'), S3Key: null },
        Environment: { Variables: { A: 'b' } },
        Layers: ['x'],
        FileSystemConfigs: [{ Arn: 'a', LocalMountPath: '/mnt/a', Other: 1 }],
      },
    });
    assert.deepEqual(input, {
      FunctionName: 'f',
      Timeout: 3,
      Publish: true,
      Code: { ZipFile: Buffer.from('zip') },
      Environment: { Variables: { A: 'b' } },
      Layers: ['x'],
      FileSystemConfigs: [{ Arn: 'a', LocalMountPath: '/mnt/a' }],
    });
  });

  test('a body is optional for JSON operations, and may be null', () => {
    assert.deepEqual(parse('CreateFunction', {}), {});
    assert.deepEqual(parse('CreateFunction', { json: null }), {});
  });

  test('timestamps are epoch seconds in bodies and date-times in queries', () => {
    const body = parse('CreateEventSourceMapping', {
      json: { StartingPositionTimestamp: 1_600_000_000.25 },
    });
    assert.deepEqual(body, { StartingPositionTimestamp: new Date(1_600_000_000_250) });
    for (const text of ['2020-09-13T12:26:40Z', '1600000000']) {
      const query = parse('ListDurableExecutionsByFunction', {
        query: `StartedAfter=${encodeURIComponent(text)}`,
      });
      assert.deepEqual(query, { StartedAfter: new Date(1_600_000_000_000) });
    }
  });

  test('query members have types: numbers, booleans, lists', () => {
    assert.deepEqual(parse('ListFunctions', { query: 'MaxItems=5' }), { MaxItems: 5 });
    assert.deepEqual(parse('ListDurableExecutionsByFunction', { query: 'ReverseOrder=true' }), {
      ReverseOrder: true,
    });
    assert.deepEqual(parse('UntagResource', { query: 'tagKeys=a&tagKeys=b%20c' }), {
      TagKeys: ['a', 'b c'],
    });
  });

  test('a structure can be the payload', () => {
    const input = parse('SendDurableExecutionCallbackFailure', {
      params: { CallbackId: 'c' },
      json: { ErrorMessage: 'm', StackTrace: ['a'] },
    });
    assert.deepEqual(input, { CallbackId: 'c', Error: { ErrorMessage: 'm', StackTrace: ['a'] } });
  });

  test('__proto__ is a map key like any other', () => {
    const body = Buffer.from('{"Tags": {"__proto__": "x"}, "__proto__": {"Publish": true}}');
    const input = parse('CreateFunction', { body });
    assert.deepEqual(Object.keys(input), ['Tags']);
    assert.deepEqual(Object.entries(input['Tags'] as object), [['__proto__', 'x']]);
    assert.equal(Object.getPrototypeOf(input['Tags']), Object.prototype);
  });

  test('null list elements and map values are kept for validation to refuse', () => {
    const input = parse('CreateFunction', { json: { Layers: [null], Tags: { a: null } } });
    assert.deepEqual(input, { Layers: [null], Tags: { a: null } });
  });

  const refusals: [unknown, string][] = [
    [{ FunctionName: 5 }, 'NUMBER_VALUE can not be converted to a String'],
    [{ FunctionName: true }, 'TRUE_VALUE can not be converted to a String'],
    [{ FunctionName: {} }, 'Start of structure or map found where not expected'],
    [{ FunctionName: [] }, 'Start of list found where not expected'],
    [{ Timeout: '3' }, 'STRING_VALUE can not be converted to an Integer'],
    [{ Publish: 'yes' }, 'STRING_VALUE can not be converted to a Boolean'],
    [{ Layers: 'x' }, 'Expected list or null'],
    [{ Layers: {} }, 'Start of structure or map found where not expected'],
    [{ Layers: [1] }, 'NUMBER_VALUE can not be converted to a String'],
    [{ Code: 'x' }, 'Expected structure or null'],
    [{ Code: [] }, 'Start of list found where not expected'],
    [{ Code: { ZipFile: 'not base64!' } }, 'STRING_VALUE can not be converted to a ByteBuffer'],
    [{ Environment: { Variables: [] } }, 'Start of list found where not expected'],
    [{ Environment: { Variables: 'x' } }, 'Expected map or null'],
    [{ Environment: { Variables: { A: 1 } } }, 'NUMBER_VALUE can not be converted to a String'],
    [[], 'Start of list found where not expected'],
    ['text', 'Expected structure or null'],
  ];
  for (const [json, message] of refusals) {
    test(`refuses ${JSON.stringify(json)}`, () => {
      assert.equal(refusal('CreateFunction', { json }), message);
    });
  }

  test('refuses timestamps of the wrong form', () => {
    const message = 'STRING_VALUE can not be converted to milliseconds since epoch';
    const json = { StartingPositionTimestamp: '2020-01-01' };
    assert.equal(refusal('CreateEventSourceMapping', { json }), message);
    // `Date` would read the last three.
    for (const text of ['yesterday', '--1', '1/2/2020', '5 May']) {
      const query = `StartedAfter=${encodeURIComponent(text)}`;
      assert.equal(refusal('ListDurableExecutionsByFunction', { query }), message);
    }
    const tooLarge = { StartingPositionTimestamp: 1e300 };
    assert.match(refusal('CreateEventSourceMapping', { json: tooLarge }), /^NUMBER_VALUE/);
  });

  test('refuses query members of the wrong form', () => {
    for (const query of [
      'MaxItems=abc',
      'MaxItems=',
      'MaxItems=1.5',
      `MaxItems=${'9'.repeat(99)}`,
    ]) {
      const message = 'STRING_VALUE can not be converted to an Integer';
      assert.equal(refusal('ListFunctions', { query }), message, query);
    }
  });

  test('refuses what is not JSON, however deep', () => {
    const message = 'Unable to parse the request body as JSON';
    for (const text of ['{', 'x', '{"a":}', '[', '\ufeff{}', '\0']) {
      assert.equal(refusal('CreateFunction', { body: Buffer.from(text) }), message, text);
    }
    const deep = Buffer.from(`{"Unknown": ${'['.repeat(500_000)}`);
    assert.equal(refusal('CreateFunction', { body: deep }), message);
  });

  test('base64 may be broken into lines', () => {
    const zip = Buffer.alloc(300, 7);
    const text = zip.toString('base64').replace(/(.{76})/g, '$1\r\n');
    assert.deepEqual(parse('CreateFunction', { json: { Code: { ZipFile: text } } }), {
      Code: { ZipFile: zip },
    });
  });
});
