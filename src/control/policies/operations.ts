/** The operations on policies of functions, versions and aliases. */
import type { OperationTable } from '../operation-table.ts';
import { addPermission } from './add-permission.ts';
import { deleteResourcePolicy } from './delete-resource-policy.ts';
import { getPolicy, getResourcePolicy } from './get-policy.ts';
import { putResourcePolicy } from './put-resource-policy.ts';
import { removePermission } from './remove-permission.ts';

export const policyOperations = {
  AddPermission: addPermission,
  DeleteResourcePolicy: deleteResourcePolicy,
  GetPolicy: getPolicy,
  GetResourcePolicy: getResourcePolicy,
  PutResourcePolicy: putResourcePolicy,
  RemovePermission: removePermission,
} satisfies OperationTable;
