/** Versions and aliases as requests name them, and what belongs to one of them alone. */
import { aliasCollections } from '../../model/alias.ts';
import { aliasNotFound, functionNotFound } from '../../model/errors.ts';
import type { Store, WriteOperation } from '../../store/store.ts';
import { readAlias } from '../aliases/alias-documents.ts';
import { deleteDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { isVersionNumber, LATEST, readVersion, type Reference } from './function-documents.ts';

/**
 * Collections with at most one document for a version or an alias: its id is the version's number or
 * the alias's name, its partition the function's name. These documents go with the version or alias.
 */
export const qualifierCollections: readonly string[] = [
  aliasCollections.provisionedStatus,
  aliasCollections.provisioned,
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

/**
 * Throws ResourceNotFound unless the version or alias is there; without the function neither is, and the
 * refusal is the same (localstack's provider, whose words are compared with the service's).
 */
export async function requireQualifier(
  { store }: ControlContext,
  { functionName, qualifier, arn }: PublishedReference,
): Promise<void> {
  if (/^[0-9]+$/u.test(qualifier)) {
    const isThere =
      isVersionNumber(qualifier) && (await readVersion(store, functionName, qualifier));
    if (!isThere) throw functionNotFound(arn);
  } else if ((await readAlias(store, functionName, qualifier)) === undefined) {
    throw aliasNotFound(arn);
  }
}
