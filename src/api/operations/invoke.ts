/** Invoke: synchronous and dry-run invocations (guide page 003, shape InvocationRequest). */
import { notImplemented } from '../../model/errors.ts';
import { parseFunctionReference, type Identity } from '../../model/arn.ts';
import type { Invoker, InvokeRequest } from '../../invoke/invoke.ts';
import type { OperationHandler } from '../operation.ts';

export function invokeHandler(invoker: Invoker, identity: Identity): OperationHandler<'Invoke'> {
  return async (input, context) => {
    const { functionName, qualifier } = parseFunctionReference(
      input.FunctionName,
      input.Qualifier,
      identity,
    );
    const traceHeader = context.headers['x-amzn-trace-id'];
    const request: InvokeRequest = {
      requestId: context.requestId,
      functionName,
      qualifier,
      payload: asBuffer(input.Payload),
      clientContext: input.ClientContext,
      traceHeader: typeof traceHeader === 'string' ? traceHeader : undefined,
      tenantId: input.TenantId,
    };
    switch (input.InvocationType) {
      case 'DryRun':
        invoker.dryRun(request);
        return { StatusCode: 204 };
      case 'Event':
        throw notImplemented('Invoke with InvocationType Event');
      case 'RequestResponse':
      case undefined:
        break;
    }
    const result = await invoker.invoke(request);
    const tail = input.LogType === 'Tail' ? (await result.finished).logTail : undefined;
    return {
      StatusCode: 200,
      FunctionError: result.functionError,
      LogResult: tail && renderTail(tail),
      ExecutedVersion: result.executedVersion,
      Payload: result.payload,
    };
  };
}

/** The log is text: bytes that are none, as of a character that was cut, are replaced (radkawar/stackd docs/lambda.md). */
function renderTail(tail: Buffer): string {
  return Buffer.from(tail.toString()).toString('base64');
}

function asBuffer(payload: Uint8Array | undefined): Buffer {
  if (payload === undefined) return Buffer.alloc(0);
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}
