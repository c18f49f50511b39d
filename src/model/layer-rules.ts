/**
 * Which layers a function may have: how many, whose, and how much they unpack to. Runtimes and
 * architectures that a layer names are advice to people: the service checks neither (aws-cdk #16719,
 * apm-agent-nodejs #4795).
 */
import type { Identity } from './arn.ts';
import { ApiError, invalidParameterValue, layerVersionMissing } from './errors.ts';
import {
  isImage,
  type CodeReference,
  type LayerReference,
  type PackageReference,
} from './function.ts';
import { parseLayerVersionArn, type LayerVersionReference } from './layer-arn.ts';
import { defaultQuotas, type Quotas } from './quotas.ts';

/**
 * The layer versions that a request names, in its order. Throws InvalidParameterValueException (too
 * many, another region, one layer twice, one of the service's own), or AccessDeniedException (another
 * account's), in the service's words.
 */
export function checkLayers(
  arns: readonly string[],
  identity: Identity,
  { layersPerFunctionMax }: Pick<Quotas, 'layersPerFunctionMax'> = defaultQuotas,
): readonly LayerVersionReference[] {
  if (arns.length > layersPerFunctionMax) {
    throw invalidParameterValue(`Cannot reference more than ${layersPerFunctionMax} layers.`);
  }
  const seen = new Map<string, string>();
  return arns.map((arn) => {
    const reference = checkLayer(arn, identity);
    const other = seen.get(reference.layerName);
    if (other !== undefined) throw sameLayer(other, arn);
    seen.set(reference.layerName, arn);
    return reference;
  });
}

function checkLayer(arn: string, identity: Identity): LayerVersionReference {
  const reference = parseLayerVersionArn(arn);
  if (reference === undefined) throw layerVersionMissing(arn);
  if (reference.accountId !== identity.accountId) throw layerOfOtherAccount(arn, identity);
  if (reference.region !== identity.region) {
    throw invalidParameterValue(
      'Layers are not in the same region as the function. Layers are expected to be in region ' +
        `${identity.region}.`,
    );
  }
  return reference;
}

/** Another account's layer is a matter of permission there; nobody can grant it here. */
export function layerOfOtherAccount(
  arn: string,
  { accountId, partition = 'aws' }: Identity,
  action = 'lambda:GetLayerVersion',
): ApiError {
  return new ApiError(
    'AccessDeniedException',
    `User: arn:${partition}:iam::${accountId}:root is not authorized to perform: ${action} on ` +
      `resource: ${arn} because no resource-based policy allows the ${action} action`,
  );
}

/** In the service's words (serverless-plugin-datadog #195). */
function sameLayer(one: string, other: string): ApiError {
  return invalidParameterValue(
    'Two different versions of the same layer are not allowed to be referenced in the same ' +
      `function. ${one} and ${other} are versions of the same layer.`,
  );
}

type UnzippedQuota = Pick<Quotas, 'codeUnzippedBytesMax'>;

/** Before code is taken in: throws when its layers leave no room at all (ministack #1414). */
export function checkLayersFit(
  layers: readonly LayerReference[],
  { codeUnzippedBytesMax }: UnzippedQuota = defaultQuotas,
): void {
  if (unzippedBytesOf(layers) <= codeUnzippedBytesMax) return;
  throw invalidParameterValue(
    `Layers consume more than the available size of ${codeUnzippedBytesMax} bytes`,
  );
}

/** New code beside its function's layers: the refusal names what they leave (chalice #2081). */
export function checkCodeFits(
  code: PackageReference,
  layers: readonly LayerReference[],
  { codeUnzippedBytesMax }: UnzippedQuota = defaultQuotas,
): void {
  const bytesLeft = codeUnzippedBytesMax - unzippedBytesOf(layers);
  if (isImage(code) || code.unzippedBytes <= bytesLeft) return;
  throw invalidParameterValue(`Unzipped size must be smaller than ${bytesLeft} bytes`);
}

/** Other layers for code that is there (ffmpeg-aws-lambda-layer #23); all archives of the function. */
export function checkCombinedSize(
  archives: readonly CodeReference[],
  { codeUnzippedBytesMax }: UnzippedQuota = defaultQuotas,
): void {
  const actualBytes = archives.reduce((sum, { unzippedBytes }) => sum + unzippedBytes, 0);
  if (actualBytes <= codeUnzippedBytesMax) return;
  throw invalidParameterValue(
    'Function code combined with layers exceeds the maximum allowed size of ' +
      `${codeUnzippedBytesMax} bytes. The actual size is ${actualBytes} bytes.`,
  );
}

function unzippedBytesOf(layers: readonly LayerReference[]): number {
  return layers.reduce((sum, { code }) => sum + code.unzippedBytes, 0);
}
