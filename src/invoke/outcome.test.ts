/** The caller's answer for every way an invocation can end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isApiError } from '../model/errors.ts';
import type { Fault } from '../worker/faults.ts';
import { renderOutcome, type InvokeAnswer } from './outcome.ts';

const requestId = '11111111-2222-3333-4444-555555555555';

function documentOf(fault: Fault): unknown {
  const answer: InvokeAnswer = renderOutcome({ type: 'fault', fault }, requestId);
  assert.equal(answer.functionError, 'Unhandled');
  assert(Buffer.isBuffer(answer.payload));
  return JSON.parse(answer.payload.toString());
}

function exit(code: number | null, signal: string | null = null): Fault {
  return { type: 'exit', exit: { code, signal, outOfMemory: false } };
}

test('a response is passed on as it came', () => {
  const body = Buffer.from('{"a": 1}');
  const answer = renderOutcome(
    { type: 'response', response: { contentType: undefined, body } },
    requestId,
  );
  assert.deepEqual(answer, { payload: body, functionError: undefined });
});

test('a function error is the runtime’s document', () => {
  const payload = Buffer.from('not even JSON');
  const error = { errorType: 'Mine', payload };
  const expected = { payload, functionError: 'Unhandled' };
  assert.deepEqual(renderOutcome({ type: 'functionError', error }, requestId), expected);
  const fault: Fault = { type: 'initError', error };
  assert.deepEqual(renderOutcome({ type: 'fault', fault }, requestId), expected);
});

test('faults have the documents of the service', () => {
  const error = `RequestId: ${requestId} Error: `;
  const cases: [Fault, string, string][] = [
    [
      { type: 'timeout', timeoutMs: 3000 },
      'Sandbox.Timedout',
      `${error}Task timed out after 3.00 seconds`,
    ],
    [exit(7), 'Runtime.ExitError', `${error}Runtime exited with error: exit status 7`],
    [exit(0), 'Runtime.ExitError', `${error}Runtime exited without providing a reason`],
    [exit(null), 'Runtime.ExitError', `${error}Runtime exited without providing a reason`],
    [
      exit(null, 'SIGKILL'),
      'Runtime.ExitError',
      `${error}Runtime exited with error: signal: killed`,
    ],
    [
      exit(null, 'SIGSEGV'),
      'Runtime.ExitError',
      `${error}Runtime exited with error: signal: segmentation fault`,
    ],
    [
      exit(null, 'SIGRTMIN'),
      'Runtime.ExitError',
      `${error}Runtime exited with error: signal: sigrtmin`,
    ],
    [
      { type: 'outOfMemory' },
      'Runtime.OutOfMemory',
      `${error}Runtime exited with error: signal: killed`,
    ],
    [{ type: 'invalidEntrypoint', message: 'no' }, 'Runtime.InvalidEntrypoint', `${error}no`],
    [
      { type: 'responseTooLarge', sizeBytes: 7_000_000, maxBytes: 6_291_556 },
      'Function.ResponseSizeTooLarge',
      'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
    ],
  ];
  for (const [fault, errorType, errorMessage] of cases) {
    assert.deepEqual(documentOf(fault), { errorType, errorMessage });
  }
});

test('a fault of the host is an API error that keeps its cause to itself', () => {
  const cause = new Error('/secret/path');
  const fault: Fault = { type: 'host', cause };
  assert.throws(
    () => renderOutcome({ type: 'fault', fault }, requestId),
    (error) => {
      assert(isApiError(error));
      assert.equal(error.code, 'ServiceException');
      assert.equal(error.cause, cause);
      return !error.message.includes('secret');
    },
  );
});
