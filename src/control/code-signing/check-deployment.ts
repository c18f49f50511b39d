/**
 * What a function's code signing configuration says of a deployment. Whether a package is signed is for
 * AWS Signer's keys and revocations to say, which are not here: every package counts as unsigned.
 */
import { codeSigningConfigArn } from '../../model/code-signing.ts';
import {
  codeSigningConfigMissing,
  codeVerificationFailed,
} from '../../model/code-signing-errors.ts';
import type { FunctionRecord, LayerReference } from '../../model/function.ts';
import type { CodeSigningPolicy } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { readCodeSigningConfig, requireAttachable } from './code-signing-documents.ts';

/**
 * The policy for a function that gets new code; undefined without a configuration. Throws
 * CodeVerificationFailed if it is Enforce, CodeSigningConfigNotFound if the configuration is gone.
 */
export async function checkNewCode(
  { log, store, settings }: ControlContext,
  functionName: string,
  { codeSigningConfigId }: Pick<FunctionRecord, 'codeSigningConfigId'>,
): Promise<CodeSigningPolicy | undefined> {
  if (codeSigningConfigId === undefined) return undefined;
  const config = await readCodeSigningConfig(store, codeSigningConfigId);
  if (config === undefined) {
    throw codeSigningConfigMissing(codeSigningConfigArn(settings, codeSigningConfigId));
  }
  const { untrustedArtifactOnDeployment: policy } = config.value;
  if (policy === 'Enforce') {
    log.warn({ functionName }, 'refused code that is not signed');
    throw codeVerificationFailed(functionName);
  }
  return policy;
}

/** The same for a function that gets these layers: those that it has already are not looked at. */
export async function checkNewLayers(
  context: ControlContext,
  functionName: string,
  options: { readonly record: FunctionRecord; readonly layers: readonly LayerReference[] },
): Promise<CodeSigningPolicy | undefined> {
  const present = new Set(options.record.latest.layers?.map(({ arn }) => arn));
  if (options.layers.every(({ arn }) => present.has(arn))) return undefined;
  return checkNewCode(context, functionName, options.record);
}

/**
 * What a new function's document has of its code signing configuration. Throws what checkNewCode throws.
 */
export async function admitNewFunction(
  context: ControlContext,
  functionName: string,
  arn: string | undefined,
): Promise<Pick<FunctionRecord, 'codeSigningConfigId'>> {
  if (arn === undefined) return {};
  const { configId: codeSigningConfigId } = await requireAttachable(context, arn);
  await checkNewCode(context, functionName, { codeSigningConfigId });
  return { codeSigningConfigId };
}

/** To be called once a deployment that its check lets through with Warn is done. */
export function logUnsigned({ log }: ControlContext, functionName: string): void {
  log.warn({ functionName }, 'deployed code that is not signed');
}
