/** Versions and aliases as requests name them, and what belongs to one of them alone. */
import { aliasCollections, type AliasRecord } from '../../model/alias.ts';
import { aliasNotFound, functionNotFound } from '../../model/errors.ts';
import type { PublishedVersionRecord } from '../../model/function.ts';
import { policyCollection } from '../../model/policy.ts';
import type { Store, StoredDocument, WriteOperation } from '../../store/store.ts';
import { readAlias } from '../aliases/alias-documents.ts';
import { deleteDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { findVersion, LATEST, type Reference } from './function-documents.ts';

/**
 * Collections with at most one document for a version or an alias: its id is the version's number or
 * the alias's name, its partition the function's name. These documents go with the version or alias,
 * and all of a collection with the function.
 */
export const qualifierCollections: readonly string[] = [
  aliasCollections.provisionedStatus,
  aliasCollections.provisioned,
  policyCollection,
];

/** What to delete together with a version or an alias. */
export async function qualifierDeletions(
  store: Store,
  functionName: string,
  qualifier: string,
): Promise<WriteOperation[]> {
  const operations: WriteOperation[] = [];
  for (const collection of qualifierCollections) {
    const found = await store.get({ collection, partition: functionName, id: qualifier });
    if (found !== undefined) operations.push(deleteDocument(found));
  }
  return operations;
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

/** Throws ResourceNotFound unless the version or alias is there; the function is. */
export async function requireQualifier(
  { store }: ControlContext,
  { functionName, qualifier, arn }: PublishedReference,
): Promise<QualifierDocument> {
  if (/^[0-9]+$/u.test(qualifier)) {
    const document = await findVersion(store, functionName, qualifier);
    if (document === undefined) throw functionNotFound(arn);
    return { kind: 'version', document };
  }
  const document = await readAlias(store, functionName, qualifier);
  if (document === undefined) throw aliasNotFound(arn);
  return { kind: 'alias', document };
}
