/** Documents that configure asynchronous invocations, and how answers show them. */
import { functionArn } from '../../model/arn.ts';
import { eventInvokeConfigNotFound } from '../../model/trigger-errors.ts';
import { eventInvokeCollections, type EventInvokeRecord } from '../../model/event-invoke.ts';
import type { FunctionEventInvokeConfig } from '../../model/generated/api-types.ts';
import type { DocumentKey, Store, StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { LATEST, resolveReference, type Reference } from '../functions/function-documents.ts';

/** A reference that has a qualifier, in its ARN too: answers and refusals always show one. */
export type QualifiedReference = Reference & { readonly qualifier: string };

interface Named {
  readonly FunctionName: string;
  readonly Qualifier?: string | undefined;
}

/** Without a qualifier it is $LATEST. */
export function resolveQualified(
  context: ControlContext,
  { FunctionName, Qualifier }: Named,
): QualifiedReference {
  const { functionName, qualifier = LATEST } = resolveReference(context, FunctionName, Qualifier);
  return { functionName, qualifier, arn: functionArn(context.settings, functionName, qualifier) };
}

export function eventInvokeKey({ functionName, qualifier }: QualifiedReference): DocumentKey {
  return { collection: eventInvokeCollections.eventInvoke, partition: functionName, id: qualifier };
}

export async function readEventInvoke(
  store: Store,
  reference: QualifiedReference,
): Promise<StoredDocument<EventInvokeRecord> | undefined> {
  return store.get<EventInvokeRecord>(eventInvokeKey(reference));
}

/** Throws ResourceNotFound, in the same words if there is no such function, version or alias. */
export async function requireEventInvoke(
  store: Store,
  reference: QualifiedReference,
): Promise<StoredDocument<EventInvokeRecord>> {
  const found = await readEventInvoke(store, reference);
  if (found === undefined) throw eventInvokeConfigNotFound(reference.arn);
  return found;
}

/** Both destinations are there, be it empty (terraform-provider-aws). */
export function renderEventInvoke(
  FunctionArn: string,
  {
    maximumRetryAttempts,
    maximumEventAgeInSeconds,
    onSuccess,
    onFailure,
    lastModified,
  }: EventInvokeRecord,
): FunctionEventInvokeConfig {
  return {
    LastModified: new Date(lastModified),
    FunctionArn,
    ...(maximumRetryAttempts === undefined ? {} : { MaximumRetryAttempts: maximumRetryAttempts }),
    ...(maximumEventAgeInSeconds === undefined
      ? {}
      : { MaximumEventAgeInSeconds: maximumEventAgeInSeconds }),
    DestinationConfig: {
      OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess },
      OnFailure: onFailure === undefined ? {} : { Destination: onFailure },
    },
  };
}
