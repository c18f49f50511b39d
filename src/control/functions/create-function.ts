/** CreateFunction: a new function with its first code package, Pending until it is settled. */
import { checkNewFunctionName } from '../../model/arn.ts';
import { codeSigningOfImage, functionExists, invalidParameterValue } from '../../model/errors.ts';
import type { CodeReference, FunctionRecord, LayerReference } from '../../model/function.ts';
import type {
  CreateFunctionRequest,
  FunctionConfiguration,
} from '../../model/generated/api-types.ts';
import { checkCodeFits, checkLayersFit } from '../../model/layer-rules.ts';
import { withTags } from '../../model/tags.ts';
import { admitNewFunction, logUnsigned } from '../code-signing/check-deployment.ts';
import { archiveOf, stageCode } from '../code/code-package.ts';
import type { ControlContext } from '../control-context.ts';
import { checkRuntime, checkRequested, newConfiguration } from './function-configuration.ts';
import { commitWithRetry, writeDocument } from '../commit.ts';
import { functionKey, resolveUnqualified } from './function-documents.ts';
import { holdLayers } from '../layers/hold-layers.ts';
import { planVersion } from './plan-version.ts';
import { renderConfiguration, withoutUpdateStatus } from './render-configuration.ts';

export async function createFunction(
  context: ControlContext,
  input: CreateFunctionRequest,
): Promise<FunctionConfiguration> {
  const { functionName } = resolveUnqualified(context, input.FunctionName);
  checkNewFunctionName(functionName);
  const archive = checkRequest(context, input);
  await admitNewFunction(context, functionName, input.CodeSigningConfigArn);
  // The code is taken in only when there is a place for it; the commit below decides.
  const present = await context.store.get(functionKey(functionName));
  if (present !== undefined) throw functionExists(functionName);
  const { layers, release } = await holdLayers(context, input.Layers ?? []);
  try {
    checkLayersFit(layers);
    return await createWith(context, input, { functionName, archive, layers });
  } finally {
    release();
  }
}

async function createWith(
  context: ControlContext,
  input: CreateFunctionRequest,
  parts: {
    readonly functionName: string;
    readonly archive: Uint8Array;
    readonly layers: readonly LayerReference[];
  },
): Promise<FunctionConfiguration> {
  const { functionName, archive, layers } = parts;
  const staged = await stageCode(context, archive);
  try {
    checkCodeFits(staged.code, layers);
    const record = newRecord(context, input, { functionName, code: staged.code, layers });
    return await commitNew(context, input, record);
  } finally {
    staged.release();
  }
}

async function commitNew(
  context: ControlContext,
  input: CreateFunctionRequest,
  record: FunctionRecord,
): Promise<FunctionConfiguration> {
  const { CodeSigningConfigArn, Publish } = input;
  const { FunctionName: functionName } = record.latest.configuration;
  const commit = () =>
    commitWithRetry(context.store, async () => {
      const key = functionKey(functionName);
      if ((await context.store.get(key)) !== undefined) throw functionExists(functionName);
      const signing = await admitNewFunction(context, functionName, CodeSigningConfigArn);
      const put = writeDocument(key, undefined, { ...record, ...signing });
      if (Publish !== true) {
        const result = renderConfiguration(record.latest.configuration, context.settings);
        return { operations: [put], result: withoutUpdateStatus(result) };
      }
      const { operations, version } = await planVersion(context, record.latest, {});
      // The version, but without its number in the ARN: publishing on creation answers so.
      const result = renderConfiguration(version.configuration, context.settings);
      return { operations: [put, ...operations], result: withoutUpdateStatus(result) };
    });
  if (CodeSigningConfigArn === undefined) return commit();
  // In turn with deletions of configurations, as PutFunctionCodeSigningConfig.
  const created = await context.codeSigningTurns.run(commit);
  logUnsigned(context, functionName);
  return created;
}

/** What can be said without looking at the code; gives the archive. */
function checkRequest(context: ControlContext, input: CreateFunctionRequest): Uint8Array {
  if (input.PackageType === 'Image') {
    if (input.CodeSigningConfigArn !== undefined) throw codeSigningOfImage();
    if (input.SnapStart?.ApplyOn === 'PublishedVersions') {
      throw invalidParameterValue(
        'ContainerImage is not supported for SnapStart enabled functions.',
      );
    }
    throw invalidParameterValue('PackageType Image is not supported by this server yet.');
  }
  const archive = archiveOf(input.Code);
  if (input.Runtime === undefined || input.Handler === undefined) {
    throw invalidParameterValue(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    );
  }
  checkRequested(input);
  checkRuntime(context, input.Runtime, 'create');
  return archive;
}

function newRecord(
  context: ControlContext,
  input: CreateFunctionRequest,
  parts: {
    readonly functionName: string;
    readonly code: CodeReference;
    readonly layers: readonly LayerReference[];
  },
): FunctionRecord {
  const { code, layers } = parts;
  return {
    latest: {
      configuration: newConfiguration(context, input, parts),
      code,
      layers,
      buildId: context.random.uuid(),
    },
    tags: withTags({}, input.Tags ?? {}),
  };
}
