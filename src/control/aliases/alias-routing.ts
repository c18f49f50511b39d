/** What an alias may point to: one version, or two published ones that are alike (AWS guide, weighted aliases). */
import type { StoredAlias } from '../../model/alias.ts';
import { invalidParameterValue, resourceInState } from '../../model/errors.ts';
import type { VersionRecord } from '../../model/function.ts';
import type { UpdateAliasRequest } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { LATEST, requireVersion, resolveReference } from '../functions/function-documents.ts';

export type AliasTarget = Pick<StoredAlias, 'FunctionVersion' | 'RoutingConfig'>;

/**
 * The target as it is stored: no RoutingConfig without weights.
 *
 * Throws ResourceNotFound for a version that is not there, InvalidParameterValue for weights that
 * the versions do not allow, ResourceConflict for a version that is `asked` for and could not be made: no
 * alias comes to point to it (terraform-provider-aws #49904, for UpdateAlias), be it by weight.
 */
export async function checkTarget(
  context: ControlContext,
  functionName: string,
  { FunctionVersion, RoutingConfig }: AliasTarget,
  asked: Pick<UpdateAliasRequest, 'FunctionVersion' | 'RoutingConfig'>,
): Promise<AliasTarget> {
  const target = await readVersion(context, functionName, FunctionVersion);
  if (asked.FunctionVersion !== undefined) refuseFailed(target);
  const weights = RoutingConfig?.AdditionalVersionWeights ?? {};
  const [additional, ...more] = Object.keys(weights);
  if (additional === undefined) return { FunctionVersion };
  if (more.length > 0) {
    throw invalidParameterValue(
      'Number of items in AdditionalVersionWeights cannot be greater than 1',
    );
  }
  if (FunctionVersion === LATEST) {
    throw invalidParameterValue(
      '$LATEST is not supported for an alias pointing to more than 1 version',
    );
  }
  if (additional === FunctionVersion) {
    throw invalidParameterValue(
      `Invalid function version ${additional}. Function version ${additional} is already included in routing configuration.`,
    );
  }
  const other = await readVersion(context, functionName, additional);
  if (asked.RoutingConfig !== undefined) refuseFailed(other);
  checkAlike(target, other);
  return { FunctionVersion, RoutingConfig: { AdditionalVersionWeights: { ...weights } } };
}

function refuseFailed({ configuration }: VersionRecord): void {
  const { FunctionArn, State, StateReasonCode = '' } = configuration;
  if (State === 'Failed') throw resourceInState(FunctionArn, State, StateReasonCode);
}

async function readVersion(
  context: ControlContext,
  functionName: string,
  version: string,
): Promise<VersionRecord> {
  const reference = resolveReference(context, functionName, version);
  return (await requireVersion(context, reference)).version;
}

function checkAlike(
  { configuration: one }: VersionRecord,
  { configuration: other }: VersionRecord,
): void {
  if (one.Role !== other.Role) {
    throw invalidParameterValue(
      'Specified versions must be associated with the same execution role',
    );
  }
  if ((one.DeadLetterConfig?.TargetArn ?? '') !== (other.DeadLetterConfig?.TargetArn ?? '')) {
    throw invalidParameterValue(
      'Specified versions must be associated with the same dead-letter queue',
    );
  }
}
