/** CreateFunctionUrlConfig: an HTTP endpoint for $LATEST or an alias. */
import type { Random } from '../../base/random.ts';
import { functionUrlExists, functionUrlTargetNotFound } from '../../model/trigger-errors.ts';
import { FUNCTION_URL_ID_LENGTH, type FunctionUrlRecord } from '../../model/function-url.ts';
import { refuseForTenants } from '../../model/tenant-isolation.ts';
import type {
  CreateFunctionUrlConfigRequest,
  CreateFunctionUrlConfigResponse,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, putDocument, writeDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference } from '../functions/function-documents.ts';
import { findQualified } from '../functions/qualifiers.ts';
import { omitMembers } from '../omit-members.ts';
import type { ClientView } from '../operation-table.ts';
import { checkCors } from './cors-rules.ts';
import {
  functionUrlKey,
  readFunctionUrl,
  renderFunctionUrl,
  withAskedMode,
} from './function-url-documents.ts';

/** More than 32 digits of base 36 have: the lowest of them are as good as evenly drawn. */
const ID_RANDOM_BYTES = 24;

/**
 * Throws InvalidParameterValue for tenant isolation and CORS settings that checkCors refuses,
 * ResourceNotFound for no such function or alias, ResourceConflict if it has a URL.
 */
export async function createFunctionUrlConfig(
  context: ControlContext,
  input: CreateFunctionUrlConfigRequest,
  client: ClientView,
): Promise<CreateFunctionUrlConfigResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const key = functionUrlKey(reference);
  const value = newRecord(context, input);
  return commitWithRetry(context.store, async () => {
    const present = await findQualified(context, reference);
    if (present === undefined) throw functionUrlTargetNotFound();
    refuseForTenants('Function URL', present.value.latest.configuration);
    if ((await readFunctionUrl(context.store, reference)) !== undefined) {
      throw functionUrlExists(reference.arn);
    }
    const config = renderFunctionUrl(context, { ...key, value }, client);
    return {
      operations: [putDocument(present, present.value), writeDocument(key, undefined, value)],
      result: withAskedMode(omitMembers(config, ['LastModifiedTime']), input),
    };
  });
}

function newRecord(
  { clock, random }: ControlContext,
  { AuthType, Cors, InvokeMode }: CreateFunctionUrlConfigRequest,
): FunctionUrlRecord {
  const cors = Cors === undefined ? undefined : checkCors(Cors);
  const createdAt = new Date(clock.nowMs()).toISOString();
  return {
    urlId: newUrlId(random),
    authType: AuthType,
    invokeMode: InvokeMode ?? 'BUFFERED',
    ...(cors === undefined ? {} : { cors }),
    createdAt,
    lastModified: createdAt,
  };
}

/** Drawn from 36^32: never one that is there already. */
function newUrlId(random: Random): string {
  const digits = BigInt(`0x${random.hex(ID_RANDOM_BYTES)}`).toString(36);
  return digits.padStart(FUNCTION_URL_ID_LENGTH, '0').slice(-FUNCTION_URL_ID_LENGTH);
}
