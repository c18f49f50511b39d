/** DeleteAlias: with its provisioned concurrency. Deleting what is not there is no error. */
import type { DeleteAliasRequest } from '../model/generated/api-types.ts';
import { readAlias } from './alias-documents.ts';
import type { ControlContext } from './control-context.ts';
import {
  commitWithRetry,
  deleteDocument,
  putFunction,
  requireFunction,
  resolveUnqualified,
} from './function-documents.ts';
import { provisionedDeletions } from './provisioned-documents.ts';

export async function deleteAlias(
  context: ControlContext,
  input: DeleteAliasRequest,
): Promise<Record<string, never>> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { functionName } = reference;
  return commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, reference);
    const alias = await readAlias(context.store, functionName, input.Name);
    if (alias === undefined) return { operations: [], result: {} };
    const operations = [
      putFunction(present, present.value),
      deleteDocument(alias),
      ...(await provisionedDeletions(context.store, functionName, input.Name)),
    ];
    return { operations, result: {} };
  });
}
