/** GetAlias. */
import { aliasNotFound } from '../../model/errors.ts';
import type { AliasConfiguration, GetAliasRequest } from '../../model/generated/api-types.ts';
import { readAlias } from './alias-documents.ts';
import type { ControlContext } from '../control-context.ts';
import {
  requireFunction,
  resolveReference,
  resolveUnqualified,
} from '../functions/function-documents.ts';

export async function getAlias(
  context: ControlContext,
  input: GetAliasRequest,
): Promise<AliasConfiguration> {
  const reference = resolveUnqualified(context, input.FunctionName);
  const { functionName } = reference;
  await requireFunction(context, reference);
  const alias = await readAlias(context.store, functionName, input.Name);
  if (alias === undefined) {
    throw aliasNotFound(resolveReference(context, functionName, input.Name).arn);
  }
  return alias.value.configuration;
}
