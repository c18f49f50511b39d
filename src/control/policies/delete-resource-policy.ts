/** DeleteResourcePolicy: all permissions of a function, a version or an alias at once. */
import { policyNotFound } from '../../model/policy-errors.ts';
import type { DeleteResourcePolicyRequest } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, deleteDocument } from '../commit.ts';
import { resolveReference } from '../functions/function-documents.ts';
import { checkPolicyRevision, readPolicy, requirePolicyTarget } from './policy-documents.ts';

/** Throws ResourceNotFound, also when there is no policy, and PreconditionFailed. */
export async function deleteResourcePolicy(
  context: ControlContext,
  { ResourceArn, RevisionId }: DeleteResourcePolicyRequest,
): Promise<Record<string, never>> {
  const reference = resolveReference(context, ResourceArn);
  return commitWithRetry(context.store, async () => {
    const target = await requirePolicyTarget(context, reference);
    const present = await readPolicy(context.store, reference);
    if (present === undefined) throw policyNotFound();
    checkPolicyRevision(target, RevisionId, 'GetResourcePolicy');
    const operations = [...target.revise(context.random.uuid()), deleteDocument(present)];
    return { operations, result: {} };
  });
}
