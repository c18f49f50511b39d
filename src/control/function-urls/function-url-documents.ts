/** Documents of function URLs, and how answers show them. */
import { functionArn } from '../../model/arn.ts';
import { requestedResourceNotFound } from '../../model/errors.ts';
import {
  functionUrlAt,
  functionUrlCollections,
  type FunctionUrlRecord,
} from '../../model/function-url.ts';
import type { FunctionUrlConfig } from '../../model/generated/api-types.ts';
import type { DocumentKey, Store, StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { LATEST, type Reference } from '../functions/function-documents.ts';
import { omitMembers } from '../omit-members.ts';
import type { ClientView } from '../operation-table.ts';

/** Without a qualifier it is the URL of $LATEST. */
export function functionUrlKey({ functionName, qualifier = LATEST }: Reference): DocumentKey {
  return {
    collection: functionUrlCollections.functionUrl,
    partition: functionName,
    id: qualifier,
  };
}

export async function readFunctionUrl(
  store: Store,
  reference: Reference,
): Promise<StoredDocument<FunctionUrlRecord> | undefined> {
  return store.get<FunctionUrlRecord>(functionUrlKey(reference));
}

/** Throws ResourceNotFound, in the same words if there is no such function or alias. */
export async function requireFunctionUrl(
  store: Store,
  reference: Reference,
): Promise<StoredDocument<FunctionUrlRecord>> {
  const found = await readFunctionUrl(store, reference);
  if (found === undefined) throw requestedResourceNotFound();
  return found;
}

/** The ARN of what the URL invokes: the alias's, or the function's without a qualifier. */
export function renderFunctionUrl(
  { settings }: ControlContext,
  {
    partition: functionName,
    id: qualifier,
    value,
  }: Pick<StoredDocument<FunctionUrlRecord>, 'partition' | 'id' | 'value'>,
  { baseUrl }: ClientView,
): FunctionUrlConfig {
  const { urlId, authType, invokeMode, cors, createdAt, lastModified } = value;
  return {
    FunctionUrl: functionUrlAt(baseUrl, { urlId, region: settings.region }),
    FunctionArn: functionArn(settings, functionName, qualifier === LATEST ? undefined : qualifier),
    AuthType: authType,
    ...(cors === undefined ? {} : { Cors: cors }),
    CreationTime: createdAt,
    LastModifiedTime: lastModified,
    InvokeMode: invokeMode,
  };
}

/**
 * What making or changing a URL answers: the invoke mode only to those who asked for one (LocalStack,
 * radkawar/stackd). Reading it always shows it.
 */
export function withAskedMode<Answer extends Pick<FunctionUrlConfig, 'InvokeMode'>>(
  answer: Answer,
  { InvokeMode: asked }: Pick<FunctionUrlConfig, 'InvokeMode'>,
): Answer | Omit<Answer, 'InvokeMode'> {
  return asked === undefined ? omitMembers(answer, ['InvokeMode']) : answer;
}
