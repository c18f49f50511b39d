/**
 * PutFunctionRecursionConfig and GetFunctionRecursionConfig: what is to become of a function that calls
 * itself in a loop. Kept and given back: nothing here looks for loops yet.
 */
import type {
  GetFunctionRecursionConfigRequest,
  GetFunctionRecursionConfigResponse,
  PutFunctionRecursionConfigRequest,
  PutFunctionRecursionConfigResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { changeFunction } from '../functions/change-function.ts';
import { requireFunction, resolveUnqualified } from '../functions/function-documents.ts';

export async function putFunctionRecursionConfig(
  context: ControlContext,
  { FunctionName, RecursiveLoop: recursiveLoop }: PutFunctionRecursionConfigRequest,
): Promise<PutFunctionRecursionConfigResponse> {
  const reference = resolveUnqualified(context, FunctionName);
  await changeFunction(context, reference, (record) => ({ ...record, recursiveLoop }));
  return { RecursiveLoop: recursiveLoop };
}

/** Terminate unless it was set. */
export async function getFunctionRecursionConfig(
  context: ControlContext,
  { FunctionName }: GetFunctionRecursionConfigRequest,
): Promise<GetFunctionRecursionConfigResponse> {
  const reference = resolveUnqualified(context, FunctionName);
  const { value } = await requireFunction(context, reference);
  return { RecursiveLoop: value.recursiveLoop ?? 'Terminate' };
}
