/** Which layer versions a function may name. There are no layers here yet: no reference is right. */
import type { Identity } from './arn.ts';
import { ApiError, invalidParameterValue } from './errors.ts';
import { limits } from './limits.ts';

/**
 * Throws InvalidParameterValueException (too many, another region, not there), or
 * AccessDeniedException (another account's), in the service's words.
 */
export function checkLayers(layers: readonly string[], identity: Identity): void {
  if (layers.length > limits.layersPerFunctionMax) {
    throw invalidParameterValue(
      `Cannot reference more than ${limits.layersPerFunctionMax} layers.`,
    );
  }
  for (const layer of layers) throw layerRefusal(layer, identity);
}

function layerRefusal(layer: string, { accountId, region, partition = 'aws' }: Identity): ApiError {
  const [, , , layerRegion, layerAccountId] = layer.split(':');
  if (layerAccountId !== accountId) {
    return new ApiError(
      'AccessDeniedException',
      `User: arn:${partition}:iam::${accountId}:root is not authorized to perform: ` +
        `lambda:GetLayerVersion on resource: ${layer} because no resource-based policy allows ` +
        'the lambda:GetLayerVersion action',
    );
  }
  return layerRegion === region
    ? invalidParameterValue(`Layer version ${layer} does not exist.`)
    : invalidParameterValue(
        'Layers are not in the same region as the function. Layers are expected to be in region ' +
          `${region}.`,
      );
}
