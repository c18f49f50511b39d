/** DeleteProvisionedConcurrencyConfig. Deleting what is not there is no error. */
import type { DeleteProvisionedConcurrencyConfigRequest } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry } from '../commit.ts';
import { provisionedDeletions } from './provisioned-documents.ts';
import { requireProvisionedReference } from './provisioned-rules.ts';

/** Throws InvalidParameterValue for $LATEST, ResourceNotFound for no such function, version or alias. */
export async function deleteProvisionedConcurrencyConfig(
  context: ControlContext,
  input: DeleteProvisionedConcurrencyConfigRequest,
): Promise<Record<string, never>> {
  const { functionName, qualifier } = await requireProvisionedReference(context, input);
  return commitWithRetry(context.store, async () => {
    const operations = await provisionedDeletions(context.store, functionName, qualifier);
    return { operations, result: {} };
  });
}
