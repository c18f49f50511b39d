/** The operations that have a handler: the source of docs/reference/api-coverage.md. */
import type { ApiOperationName } from '../../model/generated/api-types.ts';

export const implementedOperations: readonly ApiOperationName[] = [
  'CreateFunction',
  'DeleteFunction',
  'GetAccountSettings',
  'GetFunction',
  'GetFunctionConfiguration',
  'Invoke',
  'ListFunctions',
  'ListTags',
  'ListVersionsByFunction',
  'PublishVersion',
  'TagResource',
  'UntagResource',
  'UpdateFunctionCode',
  'UpdateFunctionConfiguration',
];
