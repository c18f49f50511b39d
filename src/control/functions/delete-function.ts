/** DeleteFunction: a function with all its versions and aliases, or one version of it. */
import { aliasCollections } from '../../model/alias.ts';
import { invalidParameterValue, versionReferenced } from '../../model/errors.ts';
import { collections } from '../../model/function.ts';
import type {
  DeleteFunctionRequest,
  DeleteFunctionResponse,
} from '../../model/generated/api-types.ts';
import type { Store, StoredDocument } from '../../store/store.ts';
import { aliasesOf, versionsOf } from '../aliases/alias-documents.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, deleteDocument, putDocument } from '../commit.ts';
import {
  findVersion,
  LATEST,
  readVersionCounter,
  requireFunction,
  resolveReference,
  withNewRevision,
  type Reference,
} from './function-documents.ts';
import { qualifierCollections, qualifierDeletions } from './qualifiers.ts';

/** Documents removed by one commit besides the function's own; a store takes several times as many. */
const DOCUMENTS_PER_COMMIT = 1_000;

/** What goes with a function, in this order: no alias is ever without its version. */
const ownedCollections = [...qualifierCollections, aliasCollections.alias, collections.version];

export async function deleteFunction(
  context: ControlContext,
  input: DeleteFunctionRequest,
): Promise<DeleteFunctionResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const { qualifier } = reference;
  if (qualifier === undefined) await deleteWhole(context, reference);
  else await deleteVersion(context, reference, qualifier);
  return { StatusCode: 204 };
}

/** The function goes with the last of what it has; the version counter stays. */
async function deleteWhole(context: ControlContext, reference: Reference): Promise<void> {
  for (let isGone = false; !isGone;) {
    isGone = await commitWithRetry(context.store, async () => {
      const present = await requireFunction(context, reference);
      const owned = await listOwned(context.store, reference.functionName);
      const isLastPart = owned.length < DOCUMENTS_PER_COMMIT;
      const ofFunction = isLastPart ? deleteDocument(present) : putDocument(present, present.value);
      return { operations: [ofFunction, ...owned.map(deleteDocument)], result: isLastPart };
    });
  }
}

async function listOwned(store: Store, functionName: string): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for (const collection of ownedCollections) {
    const limit = DOCUMENTS_PER_COMMIT - found.length;
    if (limit === 0) break;
    found.push(...(await store.list(collection, { partition: functionName, limit })));
  }
  return found;
}

async function deleteVersion(
  context: ControlContext,
  reference: Reference,
  qualifier: string,
): Promise<void> {
  if (qualifier === LATEST) {
    throw invalidParameterValue('$LATEST version cannot be deleted without deleting the function.');
  }
  if (!/^[0-9]+$/.test(qualifier)) {
    throw invalidParameterValue('Deletion of aliases is not currently supported.');
  }
  const { functionName } = reference;
  const unqualified = resolveReference(context, functionName);
  await commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, unqualified);
    const version = await findVersion(context.store, functionName, qualifier);
    // Deleting what is not there is no error: the service answers as if it had been.
    if (version === undefined) return { operations: [], result: undefined };
    await checkUnreferenced(context, functionName, qualifier);
    const counter = await readVersionCounter(context.store, functionName);
    const isLast = counter?.value.lastVersion === Number(qualifier);
    const operations = [
      // Keeps an alias that is made for the version at the same time from passing by. $LATEST gets
      // another revision when the version published last goes, and only then: radkawar/stackd docs/lambda.md.
      putDocument(present, isLast ? withNewRevision(context, present.value) : present.value),
      deleteDocument(version),
      ...(await qualifierDeletions(context.store, functionName, qualifier)),
    ];
    return { operations, result: undefined };
  });
}

/** Throws ResourceConflict if an alias points to the version, be it by weight. */
async function checkUnreferenced(
  { store }: ControlContext,
  functionName: string,
  version: string,
): Promise<void> {
  const names: string[] = [];
  for await (const alias of aliasesOf(store, functionName)) {
    if (versionsOf(alias).includes(version)) names.push(alias.Name);
  }
  if (names.length > 0) throw versionReferenced(names);
}
