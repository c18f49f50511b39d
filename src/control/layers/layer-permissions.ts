/**
 * AddLayerVersionPermission, RemoveLayerVersionPermission and GetLayerVersionPolicy: which other
 * accounts may use a layer version. Kept and given back; there is only one account here.
 */
import {
  invalidParameterValue,
  layerVersionNotFound,
  revisionMismatch,
} from '../../model/errors.ts';
import { policyNotFound } from '../../model/policy-errors.ts';
import type {
  AddLayerVersionPermissionRequest,
  AddLayerVersionPermissionResponse,
  GetLayerVersionPolicyRequest,
  GetLayerVersionPolicyResponse,
  RemoveLayerVersionPermissionRequest,
} from '../../model/generated/api-types.ts';
import type { LayerPolicy, LayerStatement, LayerVersionRecord } from '../../model/layer.ts';
import { renderPrincipal } from '../../model/policy-principal.ts';
import {
  emptyPolicy,
  renderPolicy,
  withoutStatement,
  withStatement,
  type NamedStatement,
  type PolicyDocument,
} from '../../model/policy.ts';
import type { StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, putDocument, type PlannedCommit } from '../commit.ts';
import { findLayerVersion, resolveLayerVersion, type LayerVersionName } from './layer-documents.ts';

export async function addLayerVersionPermission(
  context: ControlContext,
  input: AddLayerVersionPermissionRequest,
): Promise<AddLayerVersionPermissionResponse> {
  const name = resolveLayerVersion(context, input, 'lambda:AddLayerVersionPermission');
  const statement = newStatement(input);
  return commitWithRetry(context.store, async () => {
    const document = await requireLayerVersion(context, name);
    const { policy } = document.value;
    const rendered = renderStatement(context, name, statement);
    // Throws if the id is in use, or the policy becomes too long.
    withStatement(documentOf(context, name, policy), rendered);
    checkRevision(policy, input.RevisionId);
    const revisionId = context.random.uuid();
    const statements = [...(policy?.statements ?? []), statement];
    const result = { Statement: JSON.stringify(rendered), RevisionId: revisionId };
    return changePolicy(document, { revisionId, statements }, result);
  });
}

export async function removeLayerVersionPermission(
  context: ControlContext,
  input: RemoveLayerVersionPermissionRequest,
): Promise<Record<string, never>> {
  const name = resolveLayerVersion(context, input, 'lambda:RemoveLayerVersionPermission');
  return commitWithRetry(context.store, async () => {
    const document = await requireLayerVersion(context, name);
    const { policy } = document.value;
    checkRevision(policy, input.RevisionId);
    // Throws if there is no such statement.
    withoutStatement(documentOf(context, name, policy), input.StatementId);
    const left = policy?.statements.filter(({ id }) => id !== input.StatementId) ?? [];
    const revisionId = context.random.uuid();
    return changePolicy(document, left.length === 0 ? null : { revisionId, statements: left }, {});
  });
}

export async function getLayerVersionPolicy(
  context: ControlContext,
  input: GetLayerVersionPolicyRequest,
): Promise<GetLayerVersionPolicyResponse> {
  const name = resolveLayerVersion(context, input, 'lambda:GetLayerVersionPolicy');
  const { policy } = (await requireLayerVersion(context, name)).value;
  if (policy === null) throw policyNotFound();
  return {
    Policy: renderPolicy(documentOf(context, name, policy)),
    RevisionId: policy.revisionId,
  };
}

function newStatement(input: AddLayerVersionPermissionRequest): LayerStatement {
  const { StatementId: id, Principal: principal, OrganizationId: organizationId = null } = input;
  if (organizationId !== null && principal !== '*') {
    throw invalidParameterValue('OrganizationId can only be given with the principal *.');
  }
  return { id, principal, organizationId };
}

async function requireLayerVersion(
  context: ControlContext,
  name: LayerVersionName,
): Promise<StoredDocument<LayerVersionRecord>> {
  const document = await findLayerVersion(context, name);
  if (document === undefined) throw layerVersionNotFound(name.askedArn);
  return document;
}

function checkRevision(policy: LayerPolicy | null, revisionId: string | undefined): void {
  if (revisionId === undefined || revisionId === policy?.revisionId) return;
  throw revisionMismatch('GetLayerPolicy');
}

function changePolicy<Result>(
  present: StoredDocument<LayerVersionRecord>,
  policy: LayerPolicy | null,
  result: Result,
): PlannedCommit<Result> {
  return { operations: [putDocument(present, { ...present.value, policy })], result };
}

/** As the service's own documents look (AWS CLI page of get-layer-version-policy). */
function documentOf(
  context: ControlContext,
  name: LayerVersionName,
  policy: LayerPolicy | null,
): PolicyDocument {
  const statements = policy?.statements ?? [];
  const Statement = statements.map((statement) => renderStatement(context, name, statement));
  return { ...emptyPolicy, Statement };
}

function renderStatement(
  { settings }: ControlContext,
  { arn }: LayerVersionName,
  { id, principal, organizationId }: LayerStatement,
): NamedStatement {
  return {
    Sid: id,
    Effect: 'Allow',
    Principal: renderPrincipal(principal, settings),
    Action: 'lambda:GetLayerVersion',
    Resource: arn,
    ...(organizationId === null
      ? {}
      : { Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } } }),
  };
}
