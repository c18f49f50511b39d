/** Versions and aliases as requests name them, and what belongs to one of them alone. */
import { aliasCollections, type AliasRecord } from '../../model/alias.ts';
import { aliasNotFound, functionNotFound } from '../../model/errors.ts';
import { eventInvokeCollections } from '../../model/event-invoke.ts';
import { functionUrlCollections } from '../../model/function-url.ts';
import type { FunctionRecord, PublishedVersionRecord } from '../../model/function.ts';
import { policyCollection } from '../../model/policy.ts';
import type { Store, StoredDocument, WriteOperation } from '../../store/store.ts';
import { readAlias } from '../aliases/alias-documents.ts';
import { deleteDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import {
  pageOf,
  pageSizeOf,
  parseQualifierMarker,
  renderQualifierMarker,
  type Page,
} from '../list-marker.ts';
import { findVersion, functionKey, LATEST, type Reference } from './function-documents.ts';

/**
 * Collections with at most one document for $LATEST, a version or an alias: its id is `$LATEST`, the
 * version's number or the alias's name, its partition the function's name. These documents go with
 * the function, and all but URLs with the version or alias too.
 */
export const qualifierCollections: readonly string[] = [
  aliasCollections.provisionedStatus,
  aliasCollections.provisioned,
  policyCollection,
  functionUrlCollections.functionUrl,
  eventInvokeCollections.eventInvoke,
];

/**
 * What to delete together with a version or an alias. The URL of an alias stays, and is that of the next
 * alias of this name (radkawar/stackd's notes of the service).
 */
export async function qualifierDeletions(
  store: Store,
  functionName: string,
  qualifier: string,
): Promise<WriteOperation[]> {
  const operations: WriteOperation[] = [];
  for (const collection of qualifierCollections) {
    if (collection === functionUrlCollections.functionUrl) continue;
    const found = await store.get({ collection, partition: functionName, id: qualifier });
    if (found !== undefined) operations.push(deleteDocument(found));
  }
  return operations;
}

/** The part of a listing that a request asks for. */
interface PageRequest {
  readonly functionName: string;
  readonly marker: string | undefined;
  readonly maxItems: number | undefined;
}

/**
 * A function's documents of one of these collections by qualifier, at most 50 at a time. Throws
 * InvalidParameterValue for a marker that no such listing gave.
 */
export async function listByQualifier<Value>(
  store: Store,
  collection: string,
  { functionName, marker, maxItems }: PageRequest,
): Promise<Page<StoredDocument<Value>>> {
  const pageSize = pageSizeOf(maxItems);
  const found = await store.list<Value>(collection, {
    partition: functionName,
    after: { partition: functionName, id: parseQualifierMarker(marker, functionName) ?? '' },
    limit: pageSize + 1,
  });
  return pageOf(found, pageSize, ({ id }) => renderQualifierMarker(functionName, id));
}

/** A reference whose qualifier is a version number or an alias's name. */
export type PublishedReference = Reference & { readonly qualifier: string };

/** Whether the qualifier names neither $LATEST nor, by being absent, means it. */
export function isPublished(reference: Reference): reference is PublishedReference {
  return reference.qualifier !== undefined && reference.qualifier !== LATEST;
}

/** The document of what a qualifier names. */
export type QualifierDocument =
  | { readonly kind: 'version'; readonly document: StoredDocument<PublishedVersionRecord> }
  | { readonly kind: 'alias'; readonly document: StoredDocument<AliasRecord> };

/**
 * Throws ResourceNotFound unless the version or alias is there; without the function neither is, and the
 * refusal is the same (localstack's provider, whose words are compared with the service's).
 */
export async function requireQualifier(
  { store }: ControlContext,
  reference: PublishedReference,
): Promise<QualifierDocument> {
  const found = await findQualifier(store, reference);
  if (found !== undefined) return found;
  const { qualifier, arn } = reference;
  throw isNumeric(qualifier) ? functionNotFound(arn) : aliasNotFound(arn);
}

/** The function's document; undefined also when the version or alias that is named is not there. */
export async function findQualified(
  { store }: ControlContext,
  reference: Reference,
): Promise<StoredDocument<FunctionRecord> | undefined> {
  const present = await store.get<FunctionRecord>(functionKey(reference.functionName));
  if (present === undefined) return undefined;
  const isThere = !isPublished(reference) || (await findQualifier(store, reference)) !== undefined;
  return isThere ? present : undefined;
}

async function findQualifier(
  store: Store,
  { functionName, qualifier }: PublishedReference,
): Promise<QualifierDocument | undefined> {
  if (isNumeric(qualifier)) {
    const document = await findVersion(store, functionName, qualifier);
    return document && { kind: 'version', document };
  }
  const document = await readAlias(store, functionName, qualifier);
  return document && { kind: 'alias', document };
}

function isNumeric(qualifier: string): boolean {
  return /^[0-9]+$/u.test(qualifier);
}
