/** PutProvisionedConcurrencyConfig: environments to be kept ready for a version or an alias. */
import type { ProvisionedRecord } from '../../model/alias.ts';
import { invalidParameterValue, unpublishedNotProvisionable } from '../../model/errors.ts';
import type { FunctionRecord } from '../../model/function.ts';
import { refuseForTenants } from '../../model/tenant-isolation.ts';
import type {
  PutProvisionedConcurrencyConfigRequest,
  PutProvisionedConcurrencyConfigResponse,
} from '../../model/generated/api-types.ts';
import type { WriteOperation } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, putDocument, writeDocument } from '../commit.ts';
import { requireFunction, resolveReference } from '../functions/function-documents.ts';
import { isPublished, requireQualifier, type PublishedReference } from '../functions/qualifiers.ts';
import { provisionedKey, readProvisioned, renderLastModified } from './provisioned-documents.ts';
import { checkProvisionable } from './provisioned-rules.ts';
import { checkUnreserved } from './unreserved-concurrency.ts';

/**
 * Throws InvalidParameterValue for $LATEST, tenant isolation and more than the function's reserve or the
 * account has left, ResourceNotFound, and what checkProvisionable throws.
 */
export async function putProvisionedConcurrencyConfig(
  context: ControlContext,
  input: PutProvisionedConcurrencyConfigRequest,
): Promise<PutProvisionedConcurrencyConfigResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  if (!isPublished(reference)) throw unpublishedNotProvisionable();
  const { ProvisionedConcurrentExecutions: requested } = input;
  // One after the other: what one leaves unreserved is what the next may take from.
  const { lastModified } = await context.reservationTurns.run(() =>
    commitWithRetry(context.store, async () => {
      await requireQualifier(context, reference);
      const present = await requireFunction(context, reference);
      refuseForTenants('Provisioned Concurrency', present.value.latest.configuration);
      await checkProvisionable(context, reference);
      checkRoom(context, present.value, { reference, requested });
      const value = wantedNow(context, reference, requested);
      const write = await planWrite(context, reference, value);
      return { operations: [putDocument(present, present.value), write], result: value };
    }),
  );
  return {
    RequestedProvisionedConcurrentExecutions: requested,
    AllocatedProvisionedConcurrentExecutions: 0,
    Status: 'IN_PROGRESS',
    LastModified: renderLastModified(lastModified),
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

function wantedNow(
  { clock, random }: ControlContext,
  { qualifier }: PublishedReference,
  requested: number,
): ProvisionedRecord {
  const lastModified = new Date(clock.nowMs()).toISOString();
  return { qualifier, requested, lastModified, generation: random.uuid() };
}

async function planWrite(
  { store }: ControlContext,
  { functionName, qualifier }: PublishedReference,
  value: ProvisionedRecord,
): Promise<WriteOperation> {
  const previous = await readProvisioned(store, functionName, qualifier);
  return writeDocument(provisionedKey(functionName, qualifier), previous, value);
}
