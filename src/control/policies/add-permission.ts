/** AddPermission: one more statement, made from a request's members. */
import { latestHasNoPolicy, onlyForAction } from '../../model/policy-errors.ts';
import type {
  AddPermissionRequest,
  AddPermissionResponse,
} from '../../model/generated/api-types.ts';
import { renderPrincipal } from '../../model/policy-principal.ts';
import {
  checkIdIsFree,
  emptyPolicy,
  withStatement,
  type NamedStatement,
} from '../../model/policy.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, writeDocument } from '../commit.ts';
import { LATEST, resolveReference, type Reference } from '../functions/function-documents.ts';
import { defined } from '../omit-members.ts';
import {
  checkPolicyRevision,
  policyKey,
  readPolicy,
  requirePolicyTarget,
} from './policy-documents.ts';

/**
 * Throws, in this order, InvalidParameterValue for $LATEST and conditions that do not go with the action,
 * ResourceNotFound, ResourceConflict for an id in use, PreconditionFailed, InvalidParameterValue for a
 * principal that is none, and PolicyLengthExceeded. An id in use comes before a stale revision
 * (radkawar/stackd's notes of the service); principals are looked at in the whole new policy
 * (cloudformation-coverage-roadmap #1189), by LocalStack after everything else.
 */
export async function addPermission(
  context: ControlContext,
  input: AddPermissionRequest,
): Promise<AddPermissionResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  if (reference.qualifier === LATEST) throw latestHasNoPolicy();
  checkUrlConditions(input);
  return commitWithRetry(context.store, async () => {
    const target = await requirePolicyTarget(context, reference);
    const present = await readPolicy(context.store, reference);
    const policy = present?.value.document ?? emptyPolicy;
    checkIdIsFree(policy, input.StatementId);
    checkPolicyRevision(target, input.RevisionId, 'GetPolicy');
    const statement = newStatement(context, reference, input);
    const document = withStatement(policy, statement);
    return {
      operations: [
        ...target.revise(context.random.uuid()),
        writeDocument(policyKey(reference), present, { document }),
      ],
      result: { Statement: JSON.stringify(statement) },
    };
  });
}

/** In the order of the service's own statements (AWS CLI page of add-permission). */
function newStatement(
  { settings }: ControlContext,
  { arn }: Reference,
  input: AddPermissionRequest,
): NamedStatement {
  const { StatementId, Action, Principal } = input;
  const Condition = newCondition(input);
  return {
    Sid: StatementId,
    Effect: 'Allow',
    Principal: renderPrincipal(Principal, settings),
    Action,
    Resource: arn,
    ...(Object.keys(Condition).length === 0 ? {} : { Condition }),
  };
}

/** Function URLs need two permissions, each with a condition of its own (guide page "urls-auth"). */
function checkUrlConditions(input: AddPermissionRequest): void {
  const { Action, FunctionUrlAuthType, InvokedViaFunctionUrl } = input;
  if (FunctionUrlAuthType !== undefined && Action !== 'lambda:InvokeFunctionUrl') {
    throw onlyForAction('FunctionUrlAuthType', 'lambda:InvokeFunctionUrl');
  }
  if (InvokedViaFunctionUrl !== undefined && Action !== 'lambda:InvokeFunction') {
    throw onlyForAction('InvokedViaFunctionUrl', 'lambda:InvokeFunction');
  }
}

/**
 * Keys in the spelling of public reports: `AWS:SourceArn` but `aws:PrincipalOrgID` (terraform-provider-aws,
 * permission.go). `InvokedViaFunctionUrl: false` is no condition (go-to-k/cdkd, lambda-permission-provider.ts).
 */
function newCondition(input: AddPermissionRequest): Record<string, Record<string, string>> {
  return withoutEmpty({
    StringEquals: defined({
      'lambda:FunctionUrlAuthType': input.FunctionUrlAuthType,
      'aws:PrincipalOrgID': input.PrincipalOrgID,
      'AWS:SourceAccount': input.SourceAccount,
      'lambda:EventSourceToken': input.EventSourceToken,
    }),
    Bool: defined({
      'lambda:InvokedViaFunctionUrl': input.InvokedViaFunctionUrl === true ? 'true' : undefined,
    }),
    ArnLike: defined({ 'AWS:SourceArn': input.SourceArn }),
  });
}

function withoutEmpty<Value extends object>(values: Record<string, Value>): Record<string, Value> {
  const given = Object.entries(values).filter(([, value]) => Object.keys(value).length > 0);
  return Object.fromEntries(given);
}
