/** The operations that have a handler: the source of docs/reference/api-coverage.md. */
import type { ApiOperationName } from '../../model/generated/api-types.ts';

export const implementedOperations: readonly ApiOperationName[] = [
  'AddLayerVersionPermission',
  'CreateFunction',
  'DeleteFunction',
  'DeleteLayerVersion',
  'GetAccountSettings',
  'GetFunction',
  'GetFunctionConfiguration',
  'GetLayerVersion',
  'GetLayerVersionByArn',
  'GetLayerVersionPolicy',
  'Invoke',
  'ListFunctions',
  'ListLayerVersions',
  'ListLayers',
  'ListTags',
  'ListVersionsByFunction',
  'PublishLayerVersion',
  'PublishVersion',
  'RemoveLayerVersionPermission',
  'TagResource',
  'UntagResource',
  'UpdateFunctionCode',
  'UpdateFunctionConfiguration',
];
