/**
 * PutFunctionConcurrency, GetFunctionConcurrency and DeleteFunctionConcurrency: concurrency reserved
 * for a function out of the account's. A setting of the function, not of what its environments are
 * built from: they stay warm. A change gives the function another RevisionId, but not another
 * LastModified; what is as asked for already changes nothing (radkawar/stackd docs/lambda.md).
 */
import { invalidParameterValue } from '../../model/errors.ts';
import type { FunctionRecord } from '../../model/function.ts';
import type {
  Concurrency,
  DeleteFunctionConcurrencyRequest,
  GetFunctionConcurrencyRequest,
  GetFunctionConcurrencyResponse,
  PutFunctionConcurrencyRequest,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { changeFunction } from '../functions/change-function.ts';
import {
  LATEST,
  requireFunction,
  resolveReference,
  withNewRevision,
  type Reference,
} from '../functions/function-documents.ts';
import { omitMembers } from '../omit-members.ts';
import { checkUnreserved } from './unreserved-concurrency.ts';

/**
 * Throws InvalidParameterValue if less than the minimum would be left unreserved (guide page 008), or
 * less than the function has provisioned.
 */
export async function putFunctionConcurrency(
  context: ControlContext,
  input: PutFunctionConcurrencyRequest,
): Promise<Concurrency> {
  const reference = resolveWhole(context, input.FunctionName);
  // What is not there is named as $LATEST (localstack's provider, whose words are compared with the service's).
  const latest = resolveReference(context, reference.functionName, LATEST);
  const { ReservedConcurrentExecutions: reservedConcurrency } = input;
  // One after the other: what one leaves unreserved is what the next may take from.
  return context.reservationTurns.run(() =>
    changeFunction(context, latest, (record) => {
      checkReserve(context, reference.functionName, reservedConcurrency);
      return record.reservedConcurrency === reservedConcurrency
        ? record
        : { ...withNewRevision(context, record), reservedConcurrency };
    }).then(() => ({ ReservedConcurrentExecutions: reservedConcurrency })),
  );
}

export async function getFunctionConcurrency(
  context: ControlContext,
  input: GetFunctionConcurrencyRequest,
): Promise<GetFunctionConcurrencyResponse> {
  const { value } = await requireFunction(context, resolveWhole(context, input.FunctionName));
  return renderConcurrency(value) ?? {};
}

/** No error when nothing is reserved. */
export async function deleteFunctionConcurrency(
  context: ControlContext,
  input: DeleteFunctionConcurrencyRequest,
): Promise<Record<string, never>> {
  await changeFunction(context, resolveWhole(context, input.FunctionName), (record) =>
    record.reservedConcurrency === undefined
      ? record
      : omitMembers(withNewRevision(context, record), ['reservedConcurrency']),
  );
  return {};
}

/** Undefined when nothing is reserved; a reserve of 0 is one. */
export function renderConcurrency(record: FunctionRecord): Concurrency | undefined {
  const { reservedConcurrency } = record;
  return reservedConcurrency === undefined
    ? undefined
    : { ReservedConcurrentExecutions: reservedConcurrency };
}

function resolveWhole(context: ControlContext, input: string): Reference {
  const reference = resolveReference(context, input);
  if (reference.qualifier === undefined) return reference;
  throw invalidParameterValue(
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  );
}

function checkReserve(context: ControlContext, functionName: string, reserved: number): void {
  const provisioned = context.claims.provisioned(functionName);
  if (reserved < provisioned) {
    // Spaces and all as in localstack's provider, whose words are compared with the service's.
    throw invalidParameterValue(
      ` ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${provisioned}].`,
    );
  }
  checkUnreserved(context, functionName, {
    total: reserved,
    member: 'ReservedConcurrentExecutions',
  });
}
