/**
 * AddLayerVersionPermission, RemoveLayerVersionPermission and GetLayerVersionPolicy: which other
 * accounts may use a layer version. Kept and given back; there is only one account here.
 */
import {
  invalidParameterValue,
  layerPolicyRevisionMismatch,
  layerVersionNotFound,
  policyNotFound,
  policyTooLong,
  statementExists,
  statementNotFound,
} from '../../model/errors.ts';
import type {
  AddLayerVersionPermissionRequest,
  AddLayerVersionPermissionResponse,
  GetLayerVersionPolicyRequest,
  GetLayerVersionPolicyResponse,
  RemoveLayerVersionPermissionRequest,
} from '../../model/generated/api-types.ts';
import type { LayerPolicy, LayerStatement, LayerVersionRecord } from '../../model/layer.ts';
import { limits } from '../../model/limits.ts';
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
    const statements = policy?.statements ?? [];
    if (statements.some(({ id }) => id === statement.id)) throw statementExists(statement.id);
    checkRevision(policy, input.RevisionId);
    const changed = { revisionId: context.random.uuid(), statements: [...statements, statement] };
    const bytes = Buffer.byteLength(renderPolicy(name, changed));
    if (bytes > limits.policyBytesMax) throw policyTooLong(bytes, limits.policyBytesMax);
    return changePolicy(document, changed, {
      Statement: JSON.stringify(renderStatement(name, statement)),
      RevisionId: changed.revisionId,
    });
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
    const present = policy?.statements ?? [];
    const statements = present.filter(({ id }) => id !== input.StatementId);
    if (statements.length === present.length) throw statementNotFound(input.StatementId);
    const revisionId = context.random.uuid();
    return changePolicy(document, statements.length === 0 ? null : { revisionId, statements }, {});
  });
}

export async function getLayerVersionPolicy(
  context: ControlContext,
  input: GetLayerVersionPolicyRequest,
): Promise<GetLayerVersionPolicyResponse> {
  const name = resolveLayerVersion(context, input, 'lambda:GetLayerVersionPolicy');
  const { policy } = (await requireLayerVersion(context, name)).value;
  if (policy === null) throw policyNotFound();
  return { Policy: renderPolicy(name, policy), RevisionId: policy.revisionId };
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
  if (document === undefined) throw layerVersionNotFound(name.arn);
  return document;
}

function checkRevision(policy: LayerPolicy | null, revisionId: string | undefined): void {
  if (revisionId === undefined || revisionId === policy?.revisionId) return;
  throw layerPolicyRevisionMismatch();
}

function changePolicy<Result>(
  present: StoredDocument<LayerVersionRecord>,
  policy: LayerPolicy | null,
  result: Result,
): PlannedCommit<Result> {
  return { operations: [putDocument(present, { ...present.value, policy })], result };
}

/** As the service's own documents look (AWS CLI page of get-layer-version-policy). */
function renderPolicy(name: LayerVersionName, { statements }: LayerPolicy): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'default',
    Statement: statements.map((statement) => renderStatement(name, statement)),
  });
}

function renderStatement(
  { arn }: LayerVersionName,
  { id, principal, organizationId }: LayerStatement,
): Record<string, unknown> {
  const isAccount = /^\d{12}$/.test(principal);
  const account = isAccount ? `arn:aws:iam::${principal}:root` : principal;
  return {
    Sid: id,
    Effect: 'Allow',
    Principal: principal === '*' ? '*' : { AWS: account },
    Action: 'lambda:GetLayerVersion',
    Resource: arn,
    ...(organizationId === null
      ? {}
      : { Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } } }),
  };
}
