/** UpdateFunctionConfiguration: other settings for $LATEST; members left out stay as they are. */
import type {
  FunctionConfiguration,
  UpdateFunctionConfigurationRequest,
} from '../../model/generated/api-types.ts';
import { invalidParameterValue } from '../../model/errors.ts';
import { layersOf } from '../../model/function.ts';
import { checkCombinedSize } from '../../model/layer-rules.ts';
import { hasImageSettings } from '../../model/package-rules.ts';
import { changeLatest } from './change-latest.ts';
import type { ControlContext } from '../control-context.ts';
import {
  checkRequested,
  checkRuntime,
  withLayers,
  withSettings,
} from './function-configuration.ts';
import { requireFunction, resolveUnqualified } from './function-documents.ts';
import { holdLayers } from '../layers/hold-layers.ts';

export async function updateFunctionConfiguration(
  context: ControlContext,
  input: UpdateFunctionConfigurationRequest,
): Promise<FunctionConfiguration> {
  const reference = resolveUnqualified(context, input.FunctionName);
  checkRequested(context, input);
  if (hasImageSettings(input.ImageConfig)) {
    throw invalidParameterValue(
      "Please don't provide ImageConfig when updating a function with packageType Zip.",
    );
  }
  const { value } = await requireFunction(context, reference);
  // Moving to a runtime that is supported is allowed from one that is not any more.
  checkRuntime(context, input.Runtime ?? value.latest.configuration.Runtime, 'update');
  const held = await holdLayers(context, input.Layers ?? []);
  try {
    return await changeLatest(context, {
      reference,
      revisionId: input.RevisionId,
      publish: false,
      change: (latest) => {
        const { code } = latest;
        const layers = input.Layers === undefined ? layersOf(latest) : held.layers;
        checkCombinedSize(code, layers, context.settings);
        const configuration = withLayers(latest.configuration, layers);
        return {
          ...latest,
          layers,
          configuration: withSettings(configuration, input, context.settings),
        };
      },
    });
  } finally {
    held.release();
  }
}
