/** DeleteFunction: a function with all its versions, or one version of it. */
import { invalidParameterValue } from '../model/errors.ts';
import { collections, type PublishedVersionRecord } from '../model/function.ts';
import type {
  DeleteFunctionRequest,
  DeleteFunctionResponse,
} from '../model/generated/api-types.ts';
import type { StoredDocument, WriteOperation } from '../store/store.ts';
import type { ControlContext } from './control-context.ts';
import {
  commitWithRetry,
  isVersionNumber,
  LATEST,
  putFunction,
  requireFunction,
  resolveReference,
  versionKey,
  type Reference,
} from './function-documents.ts';

/** Versions removed by one commit; a store takes several times as many. */
const VERSIONS_PER_COMMIT = 1_000;

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

/** The function goes with the last of its versions; the version counter stays. */
async function deleteWhole(context: ControlContext, reference: Reference): Promise<void> {
  for (let isGone = false; !isGone;) {
    isGone = await commitWithRetry(context.store, async () => {
      const present = await requireFunction(context, reference);
      const versions = await context.store.list<PublishedVersionRecord>(collections.version, {
        partition: reference.functionName,
        limit: VERSIONS_PER_COMMIT,
      });
      const isLastPart = versions.length < VERSIONS_PER_COMMIT;
      const ofFunction = isLastPart ? deletion(present) : putFunction(present, present.value);
      return { operations: [ofFunction, ...versions.map(deletion)], result: isLastPart };
    });
  }
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
  const unqualified = resolveReference(context, reference.functionName);
  await commitWithRetry(context.store, async () => {
    await requireFunction(context, unqualified);
    const version = await findVersion(context, reference.functionName, qualifier);
    // Deleting what is not there is no error: the service answers as if it had been.
    const operations = version === undefined ? [] : [deletion(version)];
    return { operations, result: undefined };
  });
}

async function findVersion(
  { store }: ControlContext,
  functionName: string,
  qualifier: string,
): Promise<StoredDocument<PublishedVersionRecord> | undefined> {
  if (!isVersionNumber(qualifier)) return undefined;
  return store.get<PublishedVersionRecord>(versionKey(functionName, qualifier));
}

function deletion({ collection, partition, id, revision }: StoredDocument): WriteOperation {
  return { type: 'delete', key: { collection, partition, id }, expect: { revision } };
}
