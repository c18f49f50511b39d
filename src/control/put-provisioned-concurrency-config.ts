/** PutProvisionedConcurrencyConfig: environments to be kept ready for a version or an alias. */
import type { ProvisionedRecord } from '../model/alias.ts';
import { invalidParameterValue, unpublishedNotProvisionable } from '../model/errors.ts';
import type { FunctionRecord } from '../model/function.ts';
import type {
  PutProvisionedConcurrencyConfigRequest,
  PutProvisionedConcurrencyConfigResponse,
} from '../model/generated/api-types.ts';
import type { WriteOperation } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import {
  commitWithRetry,
  putFunction,
  requireFunction,
  resolveReference,
} from './function-documents.ts';
import { provisionedKey, readProvisioned, renderLastModified } from './provisioned-documents.ts';
import {
  checkProvisionable,
  isPublished,
  requireQualifier,
  type PublishedReference,
} from './provisioned-rules.ts';
import { checkUnreserved } from './unreserved-concurrency.ts';

/**
 * Throws InvalidParameterValue for $LATEST and for more than the function's reserve or the account
 * has left, ResourceNotFound, and what checkProvisionable throws.
 */
export async function putProvisionedConcurrencyConfig(
  context: ControlContext,
  input: PutProvisionedConcurrencyConfigRequest,
): Promise<PutProvisionedConcurrencyConfigResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  if (!isPublished(reference)) throw unpublishedNotProvisionable();
  const { ProvisionedConcurrentExecutions: requested } = input;
  // One after the other: what one leaves unreserved is what the next may take from.
  await context.reservationTurns.run(() =>
    commitWithRetry(context.store, async () => {
      const present = await requireFunction(context, reference);
      await requireQualifier(context, reference);
      await checkProvisionable(context, reference);
      checkRoom(context, present.value, { reference, requested });
      const write = await planWrite(context, reference, requested);
      return { operations: [putFunction(present, present.value), write], result: undefined };
    }),
  );
  return {
    RequestedProvisionedConcurrentExecutions: requested,
    AllocatedProvisionedConcurrentExecutions: 0,
    Status: 'IN_PROGRESS',
    LastModified: renderLastModified(new Date(context.clock.nowMs()).toISOString()),
  };
}

function checkRoom(
  context: ControlContext,
  { reservedConcurrency }: FunctionRecord,
  wanted: { readonly reference: PublishedReference; readonly requested: number },
): void {
  const { reference, requested } = wanted;
  const { functionName, qualifier } = reference;
  const { claims } = context;
  const total =
    claims.provisioned(functionName) - claims.provisioned(functionName, qualifier) + requested;
  if (reservedConcurrency === undefined) {
    checkUnreserved(context, functionName, { total, member: 'ConcurrentExecutions' });
  } else if (total > reservedConcurrency) {
    throw invalidParameterValue(
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    );
  }
}

async function planWrite(
  { clock, random, store }: ControlContext,
  { functionName, qualifier }: PublishedReference,
  requested: number,
): Promise<WriteOperation> {
  const previous = await readProvisioned(store, functionName, qualifier);
  const value: ProvisionedRecord = {
    qualifier,
    requested,
    lastModified: new Date(clock.nowMs()).toISOString(),
    generation: random.uuid(),
  };
  return {
    type: 'put',
    key: provisionedKey(functionName, qualifier),
    value,
    expect: previous === undefined ? 'absent' : { revision: previous.revision },
  };
}
