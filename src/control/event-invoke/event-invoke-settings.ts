/** What a request sets for asynchronous invocations, checked and in the form that is stored. */
import { invalidParameterValue } from '../../model/errors.ts';
import { destinationConfigInvalid, destinationInvalid } from '../../model/trigger-errors.ts';
import {
  destinationKindOf,
  isFifo,
  parseDestinationArn,
  type Destination,
} from '../../model/destination-arn.ts';
import type { EventInvokeRecord } from '../../model/event-invoke.ts';
import type {
  DestinationConfig,
  PutFunctionEventInvokeConfigRequest,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference } from '../functions/function-documents.ts';
import { findQualified } from '../functions/qualifiers.ts';

type RequestedSettings = Pick<
  PutFunctionEventInvokeConfigRequest,
  'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds' | 'DestinationConfig'
>;

type Settings = Omit<EventInvokeRecord, 'lastModified'>;

/**
 * Throws InvalidParameterValue for a request that sets nothing; an empty DestinationConfig is nothing
 * (radkawar/stackd's notes of the service).
 */
export function checkSetsSomething(input: RequestedSettings): void {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = input;
  const { OnSuccess, OnFailure } = DestinationConfig ?? {};
  const given = [MaximumRetryAttempts, MaximumEventAgeInSeconds, OnSuccess, OnFailure];
  if (given.some((setting) => setting !== undefined)) return;
  throw invalidParameterValue(
    'You must specify at least one of error handling or destination setting.',
  );
}

/** The request's settings over others. A destination that is empty takes away the one that is there. */
export function mergeSettings(
  present: Settings,
  { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig }: RequestedSettings,
): Settings {
  const retries = MaximumRetryAttempts ?? present.maximumRetryAttempts;
  const age = MaximumEventAgeInSeconds ?? present.maximumEventAgeInSeconds;
  const onSuccess = DestinationConfig?.OnSuccess?.Destination ?? present.onSuccess;
  const onFailure = DestinationConfig?.OnFailure?.Destination ?? present.onFailure;
  return {
    ...(retries === undefined ? {} : { maximumRetryAttempts: retries }),
    ...(age === undefined ? {} : { maximumEventAgeInSeconds: age }),
    ...(onSuccess ? { onSuccess } : {}),
    ...(onFailure ? { onFailure } : {}),
  };
}

/**
 * Throws InvalidParameterValue for destinations that cannot take records: of another kind than the
 * guide lists, FIFO, a bucket for successes, the function itself, a function that is not there. Queues,
 * topics, event buses and buckets are not looked for.
 */
export async function checkDestinations(
  context: ControlContext,
  functionName: string,
  { OnSuccess, OnFailure }: DestinationConfig,
): Promise<void> {
  const onSuccess = OnSuccess?.Destination || undefined;
  const onFailure = OnFailure?.Destination || undefined;
  for (const arn of [onFailure, onSuccess]) {
    if (arn === undefined) continue;
    const kind = destinationKindOf(arn);
    if (kind === undefined) throw destinationConfigInvalid(onSuccess, onFailure);
    const destination = parseDestinationArn(arn);
    if (destination === undefined) throw destinationInvalid(arn);
    const isMisplaced = kind === 's3' && arn === onSuccess;
    if (isMisplaced || isFifo(destination)) throw destinationConfigInvalid(onSuccess, onFailure);
    if (kind === 'lambda') await checkFunction(context, functionName, { arn, destination });
  }
}

async function checkFunction(
  context: ControlContext,
  functionName: string,
  { arn, destination }: { readonly arn: string; readonly destination: Destination },
): Promise<void> {
  const { accountId, region } = context.settings;
  const isOurs = destination.accountId === accountId && destination.region === region;
  if (!isOurs) throw destinationInvalid(arn);
  const reference = resolveReference(context, destination.resource);
  if (reference.functionName === functionName) {
    throw invalidParameterValue("You can't specify the function as a destination for itself.");
  }
  if ((await findQualified(context, reference)) === undefined) throw destinationInvalid(arn);
}
