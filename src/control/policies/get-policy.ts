/** GetPolicy and GetResourcePolicy: the same policy, found by a name or by an ARN. */
import { requestedResourceNotFound } from '../../model/errors.ts';
import type {
  GetPolicyRequest,
  GetPolicyResponse,
  GetResourcePolicyRequest,
  GetResourcePolicyResponse,
} from '../../model/generated/api-types.ts';
import { renderPolicy } from '../../model/policy.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference, type Reference } from '../functions/function-documents.ts';
import { readPolicy, requirePolicyTarget } from './policy-documents.ts';

/** Throws ResourceNotFound. */
export async function getPolicy(
  context: ControlContext,
  { FunctionName, Qualifier }: GetPolicyRequest,
): Promise<GetPolicyResponse> {
  return describePolicy(context, resolveReference(context, FunctionName, Qualifier));
}

/** Throws ResourceNotFound. */
export async function getResourcePolicy(
  context: ControlContext,
  { ResourceArn }: GetResourcePolicyRequest,
): Promise<GetResourcePolicyResponse> {
  return describePolicy(context, resolveReference(context, ResourceArn));
}

/** The revision is read first: it is never newer than the policy that it comes with. */
async function describePolicy(
  context: ControlContext,
  reference: Reference,
): Promise<{ readonly Policy: string; readonly RevisionId: string }> {
  const { revisionId } = await requirePolicyTarget(context, reference);
  const policy = await readPolicy(context.store, reference);
  if (policy === undefined) throw requestedResourceNotFound();
  return { Policy: renderPolicy(policy.value.document), RevisionId: revisionId };
}
