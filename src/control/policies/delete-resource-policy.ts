/** DeleteResourcePolicy: all permissions of a function, a version or an alias at once. */
import { revisionMismatch } from '../../model/errors.ts';
import type { DeleteResourcePolicyRequest } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, deleteDocument } from '../commit.ts';
import { resolveReference } from '../functions/function-documents.ts';
import { checkPolicyRevision, readPolicy, requirePolicyTarget } from './policy-documents.ts';

/**
 * Throws PreconditionFailed. Where there is no policy, or nothing that could have one, there is nothing
 * to do (radkawar/stackd's notes of the service), but a RevisionId is stale.
 */
export async function deleteResourcePolicy(
  context: ControlContext,
  { ResourceArn, RevisionId }: DeleteResourcePolicyRequest,
): Promise<Record<string, never>> {
  const reference = resolveReference(context, ResourceArn);
  return commitWithRetry(context.store, async () => {
    const present = await readPolicy(context.store, reference);
    if (present === undefined) {
      if (RevisionId !== undefined) throw revisionMismatch('GetResourcePolicy');
      return { operations: [], result: {} };
    }
    const target = await requirePolicyTarget(context, reference);
    checkPolicyRevision(target, RevisionId, 'GetResourcePolicy');
    const operations = [...target.revise(context.random.uuid()), deleteDocument(present)];
    return { operations, result: {} };
  });
}
