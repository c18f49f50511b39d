/** RemovePermission: a policy without one of its statements, or no policy once none is left. */
import { policyNotFound, policyOfNoFunction } from '../../model/policy-errors.ts';
import type { RemovePermissionRequest } from '../../model/generated/api-types.ts';
import { withoutStatement } from '../../model/policy.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, deleteDocument, putDocument } from '../commit.ts';
import { functionKey, resolveReference } from '../functions/function-documents.ts';
import { checkPolicyRevision, readPolicy, requirePolicyTarget } from './policy-documents.ts';

/** Throws ResourceNotFound, PreconditionFailed. */
export async function removePermission(
  context: ControlContext,
  input: RemovePermissionRequest,
): Promise<Record<string, never>> {
  const { store } = context;
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const unqualified = resolveReference(context, reference.functionName);
  return commitWithRetry(store, async () => {
    if ((await store.get(functionKey(reference.functionName))) === undefined) {
      throw policyOfNoFunction(unqualified.arn);
    }
    const target = await requirePolicyTarget(context, reference);
    const present = await readPolicy(store, reference);
    if (present === undefined) throw policyNotFound();
    const document = withoutStatement(present.value.document, input.StatementId);
    checkPolicyRevision(target, input.RevisionId, 'GetFunction/GetAlias');
    const write =
      document === undefined ? deleteDocument(present) : putDocument(present, { document });
    return { operations: [...target.revise(context.random.uuid()), write], result: {} };
  });
}
