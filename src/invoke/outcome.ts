/**
 * Turns what an environment came to into what the caller gets: the only place where faults become
 * function errors or API errors (ADR 0013).
 */
import { serviceError } from '../model/errors.ts';
import type { InvocationOutcome } from '../worker/invocation-record.ts';
import { describeExit, faultErrorType, type Fault } from '../worker/faults.ts';

/** The caller's answer: HTTP 200 whether or not the function failed. */
export interface InvokeAnswer {
  readonly payload: Buffer | AsyncIterable<Buffer>;
  /** Value of X-Amz-Function-Error. */
  readonly functionError: 'Unhandled' | undefined;
}

export function renderOutcome(outcome: InvocationOutcome, requestId: string): InvokeAnswer {
  switch (outcome.type) {
    case 'response':
      return { payload: outcome.response.body, functionError: undefined };
    case 'functionError':
      return { payload: outcome.error.payload, functionError: 'Unhandled' };
    case 'fault':
      return { payload: faultPayload(outcome.fault, requestId), functionError: 'Unhandled' };
  }
}

/** The error document of a fault; a fault of the host is an API error instead. */
function faultPayload(fault: Fault, requestId: string): Buffer {
  switch (fault.type) {
    case 'initError':
      return fault.error.payload;
    case 'host':
      throw serviceError(fault.cause);
    case 'responseTooLarge':
      return errorDocument(
        fault,
        `Response payload size exceeded maximum allowed payload size (${fault.maxBytes} bytes).`,
      );
    case 'timeout': {
      const seconds = (fault.timeoutMs / 1000).toFixed(2);
      return errorDocument(
        fault,
        `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
      );
    }
    case 'exit':
      return errorDocument(fault, `RequestId: ${requestId} Error: ${describeExit(fault.exit)}`);
    case 'outOfMemory':
      return errorDocument(
        fault,
        `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
      );
    case 'invalidEntrypoint':
    case 'extension':
      return errorDocument(fault, `RequestId: ${requestId} Error: ${fault.message}`);
  }
}

function errorDocument(fault: Fault, errorMessage: string): Buffer {
  return Buffer.from(JSON.stringify({ errorType: faultErrorType(fault), errorMessage }));
}
