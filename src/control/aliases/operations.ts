/** The operations on aliases. */
import type { OperationTable } from '../operation-table.ts';
import { createAlias } from './create-alias.ts';
import { deleteAlias } from './delete-alias.ts';
import { getAlias } from './get-alias.ts';
import { listAliases } from './list-aliases.ts';
import { updateAlias } from './update-alias.ts';

export const aliasOperations = {
  CreateAlias: createAlias,
  DeleteAlias: deleteAlias,
  GetAlias: getAlias,
  ListAliases: listAliases,
  UpdateAlias: updateAlias,
} satisfies OperationTable;
