/** DeleteAlias: with its provisioned concurrency. Deleting what is not there is no error. */
import type { DeleteAliasRequest } from '../../model/generated/api-types.ts';
import { readAlias } from './alias-documents.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, deleteDocument, putDocument } from '../commit.ts';
import { requireFunction, resolveUnqualified } from '../functions/function-documents.ts';
import { qualifierDeletions } from '../functions/qualifiers.ts';

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
      putDocument(present, present.value),
      deleteDocument(alias),
      ...(await qualifierDeletions(context.store, functionName, input.Name)),
    ];
    return { operations, result: {} };
  });
}
