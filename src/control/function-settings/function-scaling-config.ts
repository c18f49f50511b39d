/**
 * PutFunctionScalingConfig and GetFunctionScalingConfig: bounds on the environments of a function that
 * runs on a capacity provider. There are none here, and the service refuses both operations for every
 * other function.
 */
import { noCapacityProvider } from '../../model/errors.ts';
import type {
  GetFunctionScalingConfigRequest,
  GetFunctionScalingConfigResponse,
  PutFunctionScalingConfigRequest,
  PutFunctionScalingConfigResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { requireFunction, resolveReference } from '../functions/function-documents.ts';
import { isPublished, requireQualifier } from '../functions/qualifiers.ts';

/** What $LATEST is published to on a capacity provider; a function without one never has it. */
const LATEST_PUBLISHED = '$LATEST.PUBLISHED';

export function putFunctionScalingConfig(
  context: ControlContext,
  input: PutFunctionScalingConfigRequest,
): Promise<PutFunctionScalingConfigResponse> {
  return refuse(context, input);
}

export function getFunctionScalingConfig(
  context: ControlContext,
  input: GetFunctionScalingConfigRequest,
): Promise<GetFunctionScalingConfigResponse> {
  return refuse(context, input);
}

/** Throws ResourceNotFound for a function or version that is not there, else AccessDenied. */
async function refuse(
  context: ControlContext,
  input: GetFunctionScalingConfigRequest,
): Promise<never> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  await requireFunction(context, reference);
  if (isPublished(reference) && reference.qualifier !== LATEST_PUBLISHED) {
    await requireQualifier(context, reference);
  }
  throw noCapacityProvider();
}
