/** Names and ARNs of layers and layer versions (service model shapes LayerName and LayerVersionArn). */
import { assert } from '../base/assert.ts';
import type { Identity } from './arn.ts';

export interface LayerVersionReference {
  readonly region: string;
  readonly accountId: string;
  readonly layerName: string;
  readonly version: number;
}

/** `arn:aws:lambda:REGION:ACCOUNT:layer:NAME`. */
export function layerArn(identity: Identity, layerName: string): string {
  const { partition = 'aws', region, accountId } = identity;
  return `arn:${partition}:lambda:${region}:${accountId}:layer:${layerName}`;
}

/** `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION`. */
export function layerVersionArn(identity: Identity, layerName: string, version: number): string {
  return `${layerArn(identity, layerName)}:${version}`;
}

/**
 * The parts of a layer version's ARN that the service model's pattern allows; undefined for its other
 * form, `arn:...:lambda:::awslayer:NAME`, which names the service's own layers.
 */
export function parseLayerVersionArn(arn: string): LayerVersionReference | undefined {
  const [, , , region, accountId, kind, layerName, version] = arn.split(':');
  if (kind !== 'layer') return undefined;
  assert(region !== undefined && accountId !== undefined, 'the ARN was checked');
  assert(layerName !== undefined && version !== undefined, 'the ARN was checked');
  return { region, accountId, layerName, version: Number(version) };
}

/** Whose layer a request's LayerName is: a name alone is one of `identity`'s own. */
export function parseLayerName(
  input: string,
  identity: Identity,
): Omit<LayerVersionReference, 'version'> {
  if (!input.includes(':')) {
    const { region, accountId } = identity;
    return { region, accountId, layerName: input };
  }
  const [, , , region, accountId, , layerName] = input.split(':');
  assert(region !== undefined && accountId !== undefined, 'the ARN was checked');
  assert(layerName !== undefined, 'the ARN was checked');
  return { region, accountId, layerName };
}
