/** CreateAlias: a name for a version, or for two by weight. */
import type { StoredAlias } from '../../model/alias.ts';
import { aliasExists } from '../../model/errors.ts';
import type { AliasConfiguration, CreateAliasRequest } from '../../model/generated/api-types.ts';
import { aliasKey, readAlias } from './alias-documents.ts';
import { checkTarget } from './alias-routing.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, putDocument, writeDocument } from '../commit.ts';
import {
  requireFunction,
  resolveReference,
  resolveUnqualified,
} from '../functions/function-documents.ts';

/** Throws ResourceConflict for a name in use, and what checkTarget throws. */
export async function createAlias(
  context: ControlContext,
  input: CreateAliasRequest,
): Promise<AliasConfiguration> {
  const { functionName } = resolveUnqualified(context, input.FunctionName);
  const { Name } = input;
  const { arn: AliasArn } = resolveReference(context, functionName, Name);
  // The version belongs to what is looked for: it is in the refusal of an unknown function, too.
  const versioned = resolveReference(context, functionName, input.FunctionVersion);
  return commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, versioned);
    if ((await readAlias(context.store, functionName, Name)) !== undefined) {
      throw aliasExists(AliasArn);
    }
    const configuration: StoredAlias = {
      AliasArn,
      Name,
      ...(await checkTarget(context, functionName, input, input)),
      Description: input.Description ?? '',
      RevisionId: context.random.uuid(),
    };
    const key = aliasKey(functionName, Name);
    const write = writeDocument(key, undefined, { configuration });
    return { operations: [putDocument(present, present.value), write], result: configuration };
  });
}
