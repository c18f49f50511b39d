/** UpdateFunctionConfiguration: other settings for $LATEST; members left out stay as they are. */
import type {
  FunctionConfiguration,
  UpdateFunctionConfigurationRequest,
} from '../model/generated/api-types.ts';
import { changeLatest } from './change-latest.ts';
import type { ControlContext } from './control-context.ts';
import { checkRuntime, checkRequested, withSettings } from './function-configuration.ts';
import { requireFunction, resolveUnqualified } from './function-documents.ts';

export async function updateFunctionConfiguration(
  context: ControlContext,
  input: UpdateFunctionConfigurationRequest,
): Promise<FunctionConfiguration> {
  const reference = resolveUnqualified(context, input.FunctionName);
  checkRequested(context, input);
  const { value } = await requireFunction(context, reference);
  // Moving to a runtime that is supported is allowed from one that is not any more.
  checkRuntime(context, input.Runtime ?? value.latest.configuration.Runtime, 'update');
  return changeLatest(context, {
    reference,
    revisionId: input.RevisionId,
    publish: false,
    change: ({ configuration, code }) => ({
      code,
      configuration: withSettings(configuration, input, context.settings),
    }),
  });
}
