/** GetFunctionEventInvokeConfig: what is set for asynchronous invocations of a function, version or alias. */
import type {
  FunctionEventInvokeConfig,
  GetFunctionEventInvokeConfigRequest,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import {
  renderEventInvoke,
  requireEventInvoke,
  resolveQualified,
} from './event-invoke-documents.ts';

/** Throws ResourceNotFound if there is no such configuration, version, alias or function. */
export async function getFunctionEventInvokeConfig(
  context: ControlContext,
  input: GetFunctionEventInvokeConfigRequest,
): Promise<FunctionEventInvokeConfig> {
  const reference = resolveQualified(context, input);
  const { value } = await requireEventInvoke(context.store, reference);
  return renderEventInvoke(reference.arn, value);
}
