/** Reading and changing the documents of layer versions. */
import { requestedResourceNotFound, invalidParameterValue } from '../../model/errors.ts';
import { layerArn, layerVersionArn, parseLayerName } from '../../model/layer-arn.ts';
import { layerOfOtherAccount } from '../../model/layer-rules.ts';
import {
  layerCollections,
  layerVersionDocumentId,
  layerVersionMax,
  type LayerVersionRecord,
} from '../../model/layer.ts';
import type { DocumentKey, StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';

export function layerVersionKey(layerName: string, version: number): DocumentKey {
  return {
    collection: layerCollections.layerVersion,
    partition: layerName,
    id: layerVersionDocumentId(version),
  };
}

export function layerVersionCounterKey(layerName: string): DocumentKey {
  return { collection: layerCollections.layerVersionCounter, partition: layerName, id: '' };
}

/**
 * The layer that a request's LayerName names: a name or an ARN. Throws AccessDenied for another
 * account's, ResourceNotFound for another region's.
 */
export function resolveLayerName(
  { settings }: ControlContext,
  input: string,
  action: string,
): string {
  const { region, accountId, layerName } = parseLayerName(input, settings);
  if (accountId !== settings.accountId) {
    const arn = layerArn({ ...settings, region, accountId }, layerName);
    throw layerOfOtherAccount(arn, settings, action);
  }
  if (region !== settings.region) throw requestedResourceNotFound();
  return layerName;
}

/** One version of a layer, as a request names it. */
export interface LayerVersionName {
  readonly layerName: string;
  readonly version: number;
  readonly arn: string;
  /**
   * As some refusals show it: with the layer's name as it was given, be it an ARN (localstack's provider,
   * whose words are compared with the service's).
   */
  readonly askedArn: string;
}

/** Throws what resolveLayerName throws, and InvalidParameterValue for a number below 1. */
export function resolveLayerVersion(
  context: ControlContext,
  input: { readonly LayerName: string; readonly VersionNumber: number },
  action: string,
): LayerVersionName {
  const version = input.VersionNumber;
  // localstack's provider, whose words are compared with the service's
  if (version < 1) throw invalidParameterValue('Layer Version Cannot be less than 1');
  const layerName = resolveLayerName(context, input.LayerName, action);
  const { settings } = context;
  return {
    layerName,
    version,
    arn: layerVersionArn(settings, layerName, version),
    askedArn: layerVersionArn(settings, input.LayerName, version),
  };
}

export async function findLayerVersion(
  { store }: ControlContext,
  { layerName, version }: Pick<LayerVersionName, 'layerName' | 'version'>,
): Promise<StoredDocument<LayerVersionRecord> | undefined> {
  if (version < 1 || version > layerVersionMax) return undefined;
  return store.get<LayerVersionRecord>(layerVersionKey(layerName, version));
}
