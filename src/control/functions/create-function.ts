/** CreateFunction: a new function with its first code package, Pending until it is settled. */
import { checkNewFunctionName } from '../../model/arn.ts';
import { codeSigningOfImage } from '../../model/code-signing-errors.ts';
import { functionExists } from '../../model/errors.ts';
import {
  isImage,
  sourceKeyOf,
  type FunctionRecord,
  type ImageReference,
  type LayerReference,
  type PackageReference,
} from '../../model/function.ts';
import type {
  CreateFunctionRequest,
  FunctionConfiguration,
} from '../../model/generated/api-types.ts';
import { checkCodeFits, checkLayersFit } from '../../model/layer-rules.ts';
import { checkPackage } from '../../model/package-rules.ts';
import { withTags } from '../../model/tags.ts';
import { stagePackage } from '../code/code-package.ts';
import { packageSourceOf, type PackageSource } from '../code/code-source.ts';
import { admitNewFunction, logUnsigned } from '../code-signing/check-deployment.ts';
import type { ControlContext } from '../control-context.ts';
import { checkRequested, checkRuntime, newConfiguration } from './function-configuration.ts';
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
  const source = checkRequest(context, input);
  await admitNewFunction(context, functionName, input.CodeSigningConfigArn);
  // The code is taken in only when there is a place for it; the commit below decides.
  const present = await context.store.get(functionKey(functionName));
  if (present !== undefined) throw functionExists(functionName);
  const { layers, release } = await holdLayers(context, input.Layers ?? []);
  try {
    checkLayersFit(layers, context.settings);
    return await createWith(context, input, { functionName, source, layers });
  } finally {
    release();
  }
}

async function createWith(
  context: ControlContext,
  input: CreateFunctionRequest,
  parts: {
    readonly functionName: string;
    readonly source: PackageSource;
    readonly layers: readonly LayerReference[];
  },
): Promise<FunctionConfiguration> {
  const { functionName, source, layers } = parts;
  const copies = input.Publish === true ? 2 : 1;
  const staged = await stagePackage(context, source, { copies, replacedBytes: 0 });
  try {
    checkCodeFits(staged.code, layers, context.settings);
    const record = newRecord(context, input, { functionName, code: staged.code, layers });
    const created = await commitNew(context, input, record);
    if (isImage(staged.code)) logImage(context, functionName, staged.code);
    return created;
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
      const { operations, version } = await planVersion(context, record.latest, { hasRoom: true });
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

/** Whoever runs the server is told what its callers only see when they invoke. */
function logImage(
  { log }: ControlContext,
  functionName: string,
  { imageUri }: ImageReference,
): void {
  log.warn(
    { functionName, imageUri },
    'created a function from a container image: it is kept and given back, but cannot be invoked here',
  );
}

/** What can be said without looking at the code; gives where it is. */
function checkRequest(context: ControlContext, input: CreateFunctionRequest): PackageSource {
  checkPackage(input);
  checkRequested(context, input);
  const source = packageSourceOf(input.Code);
  if (isImage(source) && input.CodeSigningConfigArn !== undefined) throw codeSigningOfImage();
  checkRuntime(context, input.Runtime, 'create');
  return source;
}

function newRecord(
  context: ControlContext,
  input: CreateFunctionRequest,
  parts: {
    readonly functionName: string;
    readonly code: PackageReference;
    readonly layers: readonly LayerReference[];
  },
): FunctionRecord {
  const { code, layers } = parts;
  return {
    latest: {
      configuration: newConfiguration(context, input, parts),
      code,
      layers,
      ...sourceKeyOf(input.Code.SourceKMSKeyArn),
      buildId: context.random.uuid(),
    },
    tags: withTags({}, input.Tags ?? {}),
  };
}
