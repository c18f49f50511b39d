/** PutResourcePolicy: a whole policy, in place of all that was there. */
import { functionArn } from '../../model/arn.ts';
import { latestHasNoPolicy } from '../../model/policy-errors.ts';
import type {
  PutResourcePolicyRequest,
  PutResourcePolicyResponse,
} from '../../model/generated/api-types.ts';
import { parsePolicy } from '../../model/policy-grammar.ts';
import { renderPolicy } from '../../model/policy.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, writeDocument } from '../commit.ts';
import { LATEST, resolveReference } from '../functions/function-documents.ts';
import {
  checkPolicyRevision,
  policyKey,
  readPolicy,
  requirePolicyTarget,
} from './policy-documents.ts';

/**
 * Throws InvalidParameterValue for $LATEST and for what parsePolicy refuses, PolicyLengthExceeded,
 * ResourceNotFound, PreconditionFailed.
 */
export async function putResourcePolicy(
  context: ControlContext,
  { ResourceArn, Policy, RevisionId }: PutResourcePolicyRequest,
): Promise<PutResourcePolicyResponse> {
  const reference = resolveReference(context, ResourceArn);
  if (reference.qualifier === LATEST) throw latestHasNoPolicy();
  const document = parsePolicy(Policy, functionArn(context.settings, reference.functionName));
  return commitWithRetry(context.store, async () => {
    const target = await requirePolicyTarget(context, reference);
    checkPolicyRevision(target, RevisionId, 'GetResourcePolicy');
    const present = await readPolicy(context.store, reference);
    const revisionId = context.random.uuid();
    return {
      operations: [
        ...target.revise(revisionId),
        writeDocument(policyKey(reference), present, { document }),
      ],
      result: { Policy: renderPolicy(document), RevisionId: revisionId },
    };
  });
}
