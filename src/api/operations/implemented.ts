/** The operations that have a handler: the source of docs/reference/api-coverage.md. */
import type { ApiOperationName } from '../../model/generated/api-types.ts';

export const implementedOperations: readonly ApiOperationName[] = [
  'CreateFunction',
  'DeleteFunction',
  'DeleteFunctionConcurrency',
  'GetAccountSettings',
  'GetFunction',
  'GetFunctionConcurrency',
  'GetFunctionConfiguration',
  'Invoke',
  'ListFunctions',
  'ListTags',
  'ListVersionsByFunction',
  'PublishVersion',
  'PutFunctionConcurrency',
  'TagResource',
  'UntagResource',
  'UpdateFunctionCode',
  'UpdateFunctionConfiguration',
];
