/** UpdateFunctionConfiguration: other settings for $LATEST; members left out stay as they are. */
import type {
  FunctionConfiguration,
  UpdateFunctionConfigurationRequest,
} from '../../model/generated/api-types.ts';
import { archivesOf, layersOf, type FunctionRecord } from '../../model/function.ts';
import { checkCombinedSize } from '../../model/layer-rules.ts';
import { checkPackageSettings } from '../../model/package-rules.ts';
import { changeLatest } from './change-latest.ts';
import { checkNewLayers, logUnsigned } from '../code-signing/check-deployment.ts';
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
  const { value } = await requireFunction(context, reference);
  checkPackageSettings(value.latest.configuration.PackageType, input);
  // Moving to a runtime that is supported is allowed from one that is not any more.
  checkRuntime(context, input.Runtime ?? value.latest.configuration.Runtime, 'update');
  const held = await holdLayers(context, input.Layers ?? []);
  const { functionName } = reference;
  const check = (record: FunctionRecord) => {
    checkPackageSettings(record.latest.configuration.PackageType, input);
    return checkNewLayers(context, functionName, { record, layers: held.layers });
  };
  try {
    const policy = await check(value);
    const changed = await changeLatest(context, {
      reference,
      check,
      revisionId: input.RevisionId,
      publish: false,
      change: (latest) => {
        const layers = input.Layers === undefined ? layersOf(latest) : held.layers;
        checkCombinedSize(archivesOf({ code: latest.code, layers }), context.settings);
        const configuration = withLayers(latest.configuration, layers);
        return {
          ...latest,
          layers,
          configuration: withSettings(configuration, input, context.settings),
        };
      },
    });
    if (policy === 'Warn') logUnsigned(context, functionName);
    return changed;
  } finally {
    held.release();
  }
}
