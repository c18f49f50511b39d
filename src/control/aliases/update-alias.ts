/** UpdateAlias: another version, other weights or another description; what is left out stays. */
import type { StoredAlias } from '../../model/alias.ts';
import { revisionMismatch, updatedAliasNotFound } from '../../model/errors.ts';
import type { AliasConfiguration, UpdateAliasRequest } from '../../model/generated/api-types.ts';
import { readAlias } from './alias-documents.ts';
import { checkTarget, type AliasTarget } from './alias-routing.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import {
  requireFunction,
  resolveReference,
  resolveUnqualified,
} from '../functions/function-documents.ts';
import { omitMembers } from '../omit-members.ts';
import { planProvisionedMove } from '../concurrency/provisioned-rules.ts';

/**
 * Throws ResourceNotFound, PreconditionFailed for another RevisionId, and what checkTarget and
 * planProvisionedMove throw. Weights go with a RoutingConfig that has none.
 */
export async function updateAlias(
  context: ControlContext,
  input: UpdateAliasRequest,
): Promise<AliasConfiguration> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { functionName } = reference;
  return commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, reference);
    const alias = await readAlias(context.store, functionName, input.Name);
    if (alias === undefined) {
      throw updatedAliasNotFound(resolveReference(context, functionName, input.Name).arn);
    }
    const { configuration: previous } = alias.value;
    if (input.RevisionId !== undefined && input.RevisionId !== previous.RevisionId) {
      throw revisionMismatch();
    }
    const wanted = wantedTarget(previous, input);
    const target = await checkTarget(context, functionName, wanted, input);
    const configuration: StoredAlias = {
      ...omitMembers(previous, ['RoutingConfig']),
      ...target,
      Description: input.Description ?? previous.Description,
      RevisionId: context.random.uuid(),
    };
    const moved = await planProvisionedMove(context, functionName, { previous, target });
    const operations = [
      putDocument(present, present.value),
      putDocument(alias, { configuration }),
      ...moved,
    ];
    return { operations, result: configuration };
  });
}

function wantedTarget(previous: StoredAlias, input: UpdateAliasRequest): AliasTarget {
  return {
    FunctionVersion: input.FunctionVersion ?? previous.FunctionVersion,
    RoutingConfig: input.RoutingConfig ?? previous.RoutingConfig,
  };
}
