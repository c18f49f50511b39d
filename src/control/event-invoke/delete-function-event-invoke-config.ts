/** DeleteFunctionEventInvokeConfig: asynchronous invocations go by the service's defaults again. */
import type { DeleteFunctionEventInvokeConfigRequest } from '../../model/generated/api-types.ts';
import { commitWithRetry, deleteDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { requireEventInvoke, resolveQualified } from './event-invoke-documents.ts';

/** Throws ResourceNotFound if there is no such configuration, version, alias or function. */
export async function deleteFunctionEventInvokeConfig(
  context: ControlContext,
  input: DeleteFunctionEventInvokeConfigRequest,
): Promise<Record<string, never>> {
  const reference = resolveQualified(context, input);
  return commitWithRetry(context.store, async () => {
    const document = await requireEventInvoke(context.store, reference);
    return { operations: [deleteDocument(document)], result: {} };
  });
}
