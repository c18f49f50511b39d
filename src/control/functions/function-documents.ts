/**
 * Reading and changing a function's documents. Every change is one commit with compare-and-set on
 * the function's document, which is written even when only its versions change: it is what two
 * changes of one function meet at.
 */
import { functionArn, parseFunctionReference } from '../../model/arn.ts';
import { functionNotFound, invalidParameterValue } from '../../model/errors.ts';
import {
  collections,
  versionDocumentId,
  type FunctionRecord,
  type PublishedVersionRecord,
  type VersionCounter,
  type VersionRecord,
} from '../../model/function.ts';
import type { DocumentKey, Store, StoredDocument } from '../../store/store.ts';
import { readAlias } from '../aliases/alias-documents.ts';
import type { ControlContext } from '../control-context.ts';

export const LATEST = '$LATEST';

export function functionKey(functionName: string): DocumentKey {
  return { collection: collections.function, partition: functionName, id: '' };
}

export function versionKey(functionName: string, version: string): DocumentKey {
  return {
    collection: collections.version,
    partition: functionName,
    id: versionDocumentId(version),
  };
}

export function versionCounterKey(functionName: string): DocumentKey {
  return { collection: collections.versionCounter, partition: functionName, id: '' };
}

/** What a request names: a function and maybe one of its versions. */
export interface Reference {
  readonly functionName: string;
  readonly qualifier: string | undefined;
  /** ARN as asked for, with the qualifier if there was one. */
  readonly arn: string;
}

/** Reads a name, partial or full ARN and a qualifier; throws what parseFunctionReference throws. */
export function resolveReference(
  { settings }: ControlContext,
  input: string,
  qualifierInput?: string,
): Reference {
  const { functionName, qualifier } = parseFunctionReference(input, qualifierInput, settings);
  return { functionName, qualifier, arn: functionArn(settings, functionName, qualifier) };
}

/** As resolveReference, for operations that work on $LATEST or the function as a whole. */
export function resolveUnqualified(context: ControlContext, input: string): Reference {
  const reference = resolveReference(context, input);
  if (reference.qualifier !== undefined && reference.qualifier !== LATEST) {
    throw invalidParameterValue('Current operation does not support versions other than $LATEST');
  }
  const { functionName } = reference;
  return { functionName, qualifier: undefined, arn: functionArn(context.settings, functionName) };
}

/** The function's document; throws ResourceNotFound in the words of the reference. */
export async function requireFunction(
  { store }: ControlContext,
  reference: Reference,
): Promise<StoredDocument<FunctionRecord>> {
  const document = await store.get<FunctionRecord>(functionKey(reference.functionName));
  if (document === undefined) throw functionNotFound(reference.arn);
  return document;
}

/**
 * $LATEST or the version that the reference names, with the function's own record. Of an alias it is
 * the version that it points to, not the one that its weights add.
 */
export async function requireVersion(
  context: ControlContext,
  reference: Reference,
): Promise<{ readonly record: FunctionRecord; readonly version: VersionRecord }> {
  const { value: record } = await requireFunction(context, reference);
  const { functionName, qualifier } = reference;
  if (qualifier === undefined || qualifier === LATEST) return { record, version: record.latest };
  const number = isVersionNumber(qualifier)
    ? qualifier
    : (await readAlias(context.store, functionName, qualifier))?.value.configuration
        .FunctionVersion;
  if (number === LATEST) return { record, version: record.latest };
  const version =
    number === undefined ? undefined : await readVersion(context.store, functionName, number);
  if (version === undefined) throw functionNotFound(reference.arn);
  return { record, version };
}

/** Version numbers are canonical: no sign, no leading zero. */
export function isVersionNumber(qualifier: string): boolean {
  return /^[1-9][0-9]{0,9}$/.test(qualifier);
}

/** Undefined also for digits that no version has as its number. */
export async function findVersion(
  store: Store,
  functionName: string,
  version: string,
): Promise<StoredDocument<PublishedVersionRecord> | undefined> {
  if (!isVersionNumber(version)) return undefined;
  return store.get<PublishedVersionRecord>(versionKey(functionName, version));
}

export async function readVersion(
  store: Store,
  functionName: string,
  version: string,
): Promise<PublishedVersionRecord | undefined> {
  return (await findVersion(store, functionName, version))?.value;
}

export async function readVersionCounter(
  store: Store,
  functionName: string,
): Promise<StoredDocument<VersionCounter> | undefined> {
  return store.get<VersionCounter>(versionCounterKey(functionName));
}

/** The same version with this RevisionId, for changes of what surrounds its settings. */
export function withRevision<Version extends VersionRecord>(
  version: Version,
  RevisionId: string,
): Version {
  return { ...version, configuration: { ...version.configuration, RevisionId } };
}

/** The function with another RevisionId on $LATEST. */
export function withNewRevision(
  { random }: ControlContext,
  record: FunctionRecord,
): FunctionRecord {
  return { ...record, latest: withRevision(record.latest, random.uuid()) };
}
