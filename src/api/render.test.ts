import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiError } from '../model/errors.ts';
import type { ApiOperationName } from '../model/generated/api-types.ts';
import { operationNamed } from '../model/service-model.ts';
import { createOutputRenderer, renderError } from './render.ts';

const render = (name: ApiOperationName, output: Record<string, unknown>) =>
  createOutputRenderer(operationNamed(name))(output);

const json = ['Content-Type', 'application/json'];
const remapped = ['x-amzn-Remapped-Content-Length', '0'];

describe('output renderer', () => {
  test('JSON body, with blobs in base64, undefined and unknown members left out', () => {
    const rendered = render('GetFunction', {
      Configuration: { FunctionName: 'f', Timeout: 3, Handler: undefined, Secret: 1, Layers: [] },
      Tags: { a: 'b' },
    });
    assert.equal(rendered.status, 200);
    assert.deepEqual(rendered.headers, json);
    assert.deepEqual(JSON.parse(rendered.body as string), {
      Configuration: { FunctionName: 'f', Timeout: 3, Layers: [] },
      Tags: { a: 'b' },
    });
  });

  test('timestamps are epoch seconds', () => {
    const LastModified = new Date(1_600_000_000_250);
    const { body } = render('GetEventSourceMapping', { LastModified });
    assert.deepEqual(JSON.parse(body as string), { LastModified: 1_600_000_000.25 });
  });

  test('status of the model', () => {
    assert.equal(render('CreateFunction', {}).status, 201);
    assert.equal(render('CreateEventSourceMapping', {}).status, 202);
    assert.deepEqual(render('DeleteAlias', {}), { status: 204, headers: [], body: undefined });
  });

  test('payload, headers and status of Invoke', () => {
    const Payload = Buffer.from('{"a":1}');
    assert.deepEqual(
      render('Invoke', {
        StatusCode: 200,
        FunctionError: 'Unhandled',
        LogResult: undefined,
        ExecutedVersion: '$LATEST',
        Payload,
      }),
      {
        status: 200,
        headers: [
          ...remapped,
          'X-Amz-Function-Error',
          'Unhandled',
          'X-Amz-Executed-Version',
          '$LATEST',
          ...json,
        ],
        body: Payload,
      },
    );
    const empty = { status: 204, headers: remapped, body: undefined };
    assert.deepEqual(render('Invoke', { StatusCode: 204 }), empty);
  });

  test('a content type of the output replaces the usual one', () => {
    const { headers } = render('InvokeWithResponseStream', {
      StatusCode: 200,
      EventStream: Buffer.from('x'),
      ResponseStreamContentType: 'application/vnd.amazon.eventstream',
    });
    assert.deepEqual(headers, ['Content-Type', 'application/vnd.amazon.eventstream']);
  });
});

describe('renderError', () => {
  const render = (error: ApiError) => {
    const rendered = renderError(error)!;
    return { ...rendered, body: JSON.parse(rendered.body as string) as unknown };
  };

  test('casing of the message member is that of the shape', () => {
    assert.deepEqual(render(new ApiError('ResourceNotFoundException', 'gone')), {
      status: 404,
      headers: [...json, 'x-amzn-ErrorType', 'ResourceNotFoundException'],
      body: { Type: 'User', Message: 'gone' },
    });
    const conflict = render(new ApiError('ResourceConflictException', 'twice'));
    assert.deepEqual(conflict.body, { Type: 'User', message: 'twice' });
    assert.deepEqual(render(new ApiError('ServiceException', 'm')).body, {
      Type: 'Service',
      Message: 'm',
    });
  });

  test('members go to the body or to their header', () => {
    const rendered = render(
      new ApiError('TooManyRequestsException', 'slow down', {
        members: {
          Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
          retryAfterSeconds: 2,
        },
        headers: { 'x-extra': '1' },
      }),
    );
    assert.equal(rendered.status, 429);
    assert.deepEqual(rendered.headers.slice(4), ['Retry-After', '2', 'x-extra', '1']);
    assert.deepEqual(rendered.body, {
      Type: 'User',
      message: 'slow down',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    });
  });

  test('errors outside the model have no Type', () => {
    const rendered = render(new ApiError('ValidationException', 'bad'));
    assert.equal(rendered.status, 400);
    assert.deepEqual(rendered.body, { message: 'bad' });
  });

  test('a code that the error table lacks is a defect', () => {
    assert.equal(renderError(new ApiError('NoSuchException', 'x')), undefined);
  });
});
