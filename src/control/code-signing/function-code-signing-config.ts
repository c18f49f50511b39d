/**
 * PutFunctionCodeSigningConfig, GetFunctionCodeSigningConfig and DeleteFunctionCodeSigningConfig: which
 * configuration a function has. It counts from the next deployment; code that is there goes on running.
 */
import { codeSigningConfigArn } from '../../model/code-signing.ts';
import { codeSigningOfImage } from '../../model/code-signing-errors.ts';
import type { FunctionRecord } from '../../model/function.ts';
import type {
  DeleteFunctionCodeSigningConfigRequest,
  GetFunctionCodeSigningConfigRequest,
  GetFunctionCodeSigningConfigResponse,
  PutFunctionCodeSigningConfigRequest,
  PutFunctionCodeSigningConfigResponse,
} from '../../model/generated/api-types.ts';
import type { StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { changeFunction } from '../functions/change-function.ts';
import {
  requireFunction,
  resolveUnqualified,
  type Reference,
} from '../functions/function-documents.ts';
import { omitMembers } from '../omit-members.ts';
import { requireAttachable } from './code-signing-documents.ts';

/** Throws CodeSigningConfigNotFound, ResourceNotFound, and InvalidParameterValue for an image. */
export async function putFunctionCodeSigningConfig(
  context: ControlContext,
  input: PutFunctionCodeSigningConfigRequest,
): Promise<PutFunctionCodeSigningConfigResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { CodeSigningConfigArn } = input;
  // In turn with deletions of configurations: what is found here is there until the commit is done.
  await context.codeSigningTurns.run(async () => {
    const { configId } = await requireAttachable(context, CodeSigningConfigArn);
    await changeFunction(context, reference, (record) => {
      checkSignable(record);
      return { ...record, codeSigningConfigId: configId };
    });
  });
  return { CodeSigningConfigArn, FunctionName: reference.functionName };
}

/** Without members when the function has none. */
export async function getFunctionCodeSigningConfig(
  context: ControlContext,
  input: GetFunctionCodeSigningConfigRequest,
): Promise<GetFunctionCodeSigningConfigResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { codeSigningConfigId } = (await requireSignable(context, reference)).value;
  // The service model calls the members required; the service leaves them out.
  if (codeSigningConfigId === undefined) return {} as GetFunctionCodeSigningConfigResponse;
  return {
    CodeSigningConfigArn: codeSigningConfigArn(context.settings, codeSigningConfigId),
    FunctionName: reference.functionName,
  };
}

/** No error when the function has none. */
export async function deleteFunctionCodeSigningConfig(
  context: ControlContext,
  input: DeleteFunctionCodeSigningConfigRequest,
): Promise<Record<string, never>> {
  const reference = resolveUnqualified(context, input.FunctionName);
  await changeFunction(context, reference, (record) => {
    checkSignable(record);
    return record.codeSigningConfigId === undefined
      ? record
      : omitMembers(record, ['codeSigningConfigId']);
  });
  return {};
}

async function requireSignable(
  context: ControlContext,
  reference: Reference,
): Promise<StoredDocument<FunctionRecord>> {
  const present = await requireFunction(context, reference);
  checkSignable(present.value);
  return present;
}

function checkSignable({ latest }: FunctionRecord): void {
  if (latest.configuration.PackageType === 'Image') throw codeSigningOfImage();
}
