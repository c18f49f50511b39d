/** Stored layer versions as answers give them. */
import type {
  LayerVersionsListItem,
  PublishLayerVersionResponse,
} from '../../model/generated/api-types.ts';
import { layerArn, layerVersionArn } from '../../model/layer-arn.ts';
import type { LayerVersionRecord } from '../../model/layer.ts';
import { renderLocation } from '../code/render-code.ts';
import type { ControlContext } from '../control-context.ts';
import { codeMembers } from '../functions/function-configuration.ts';

/**
 * As PublishLayerVersion and GetLayerVersion answer. `baseUrl` is where the client reached this server
 * ('http://HOST:PORT'), for the content's link.
 */
export function renderLayerVersion(
  context: ControlContext,
  record: LayerVersionRecord,
  baseUrl: string,
): PublishLayerVersionResponse {
  const { layerName, code } = record;
  return {
    Content: { ...renderLocation(context, code, baseUrl), ...codeMembers(code) },
    LayerArn: layerArn(context.settings, layerName),
    ...renderLayerVersionEntry(context.settings, record),
  };
}

/** As lists give it: without its content. */
export function renderLayerVersionEntry(
  settings: ControlContext['settings'],
  record: LayerVersionRecord,
): LayerVersionsListItem {
  const { layerName, version, licenseInfo, compatibleRuntimes, compatibleArchitectures } = record;
  return {
    LayerVersionArn: layerVersionArn(settings, layerName, version),
    Version: version,
    Description: record.description,
    CreatedDate: record.createdDate,
    ...(compatibleRuntimes === null ? {} : { CompatibleRuntimes: [...compatibleRuntimes] }),
    ...(compatibleArchitectures === null
      ? {}
      : { CompatibleArchitectures: [...compatibleArchitectures] }),
    ...(licenseInfo === null ? {} : { LicenseInfo: licenseInfo }),
  };
}
