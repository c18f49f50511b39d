/** DeleteFunctionUrlConfig: for good; another URL of the function will have another address. */
import type { DeleteFunctionUrlConfigRequest } from '../../model/generated/api-types.ts';
import { commitWithRetry, deleteDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference } from '../functions/function-documents.ts';
import { requireFunctionUrl } from './function-url-documents.ts';

/** Throws ResourceNotFound if there is no such URL, alias or function. */
export async function deleteFunctionUrlConfig(
  context: ControlContext,
  input: DeleteFunctionUrlConfigRequest,
): Promise<Record<string, never>> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  return commitWithRetry(context.store, async () => {
    const document = await requireFunctionUrl(context.store, reference);
    return { operations: [deleteDocument(document)], result: {} };
  });
}
