/** GetProvisionedConcurrencyConfig and ListProvisionedConcurrencyConfigs: what is wanted, and what there is of it. */
import { aliasCollections, type ProvisionedRecord } from '../../model/alias.ts';
import { functionArn } from '../../model/arn.ts';
import { provisionedConfigNotFound } from '../../model/errors.ts';
import type {
  GetProvisionedConcurrencyConfigRequest,
  GetProvisionedConcurrencyConfigResponse,
  ListProvisionedConcurrencyConfigsRequest,
  ListProvisionedConcurrencyConfigsResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { requireFunction, resolveUnqualified } from '../functions/function-documents.ts';
import { listByQualifier } from '../functions/qualifiers.ts';
import { describeProvisioned, readProvisioned } from './provisioned-documents.ts';
import { requireProvisionedReference } from './provisioned-rules.ts';

/** Throws InvalidParameterValue for $LATEST, ResourceNotFound, ProvisionedConcurrencyConfigNotFound. */
export async function getProvisionedConcurrencyConfig(
  context: ControlContext,
  input: GetProvisionedConcurrencyConfigRequest,
): Promise<GetProvisionedConcurrencyConfigResponse> {
  const { functionName, qualifier } = await requireProvisionedReference(context, input);
  const provisioned = await readProvisioned(context.store, functionName, qualifier);
  if (provisioned === undefined) throw provisionedConfigNotFound();
  return describeProvisioned(context.store, functionName, provisioned.value);
}

/** By qualifier, at most 50 at a time. */
export async function listProvisionedConcurrencyConfigs(
  context: ControlContext,
  input: ListProvisionedConcurrencyConfigsRequest,
): Promise<ListProvisionedConcurrencyConfigsResponse> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { functionName } = reference;
  await requireFunction(context, reference);
  const { items, next } = await listByQualifier<ProvisionedRecord>(
    context.store,
    aliasCollections.provisioned,
    { functionName, marker: input.Marker, maxItems: input.MaxItems },
  );
  return {
    ...next,
    ProvisionedConcurrencyConfigs: await Promise.all(
      items.map(async ({ value }) => ({
        FunctionArn: functionArn(context.settings, functionName, value.qualifier),
        ...(await describeProvisioned(context.store, functionName, value)),
      })),
    ),
  };
}
