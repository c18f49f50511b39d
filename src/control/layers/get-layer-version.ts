/** GetLayerVersion and GetLayerVersionByArn: one version of a layer, with a link to its content. */
import { requestedResourceNotFound } from '../../model/errors.ts';
import type {
  GetLayerVersionByArnRequest,
  GetLayerVersionRequest,
  GetLayerVersionResponse,
} from '../../model/generated/api-types.ts';
import { parseLayerVersionArn } from '../../model/layer-arn.ts';
import { layerOfOtherAccount } from '../../model/layer-rules.ts';
import type { ControlContext } from '../control-context.ts';
import { findLayerVersion, resolveLayerVersion } from './layer-documents.ts';
import { renderLayerVersion } from './render-layer-version.ts';

/** `baseUrl` is where the client reached this server ('http://HOST:PORT'), for the content's link. */
export async function getLayerVersion(
  context: ControlContext,
  input: GetLayerVersionRequest,
  { baseUrl }: { readonly baseUrl: string },
): Promise<GetLayerVersionResponse> {
  const name = resolveLayerVersion(context, input, 'lambda:GetLayerVersion');
  const document = await findLayerVersion(context, name);
  if (document === undefined) throw requestedResourceNotFound();
  return renderLayerVersion(context, document.value, baseUrl);
}

/** As getLayerVersion. */
export async function getLayerVersionByArn(
  context: ControlContext,
  { Arn }: GetLayerVersionByArnRequest,
  options: { readonly baseUrl: string },
): Promise<GetLayerVersionResponse> {
  const reference = parseLayerVersionArn(Arn);
  // The service's own layers do not exist here.
  if (reference === undefined) throw requestedResourceNotFound();
  const { accountId, region, layerName: LayerName, version: VersionNumber } = reference;
  if (accountId !== context.settings.accountId) throw layerOfOtherAccount(Arn, context.settings);
  if (region !== context.settings.region) throw requestedResourceNotFound();
  return getLayerVersion(context, { LayerName, VersionNumber }, options);
}
