/** The operations on the configurations of function URLs. */
import type { OperationTable } from '../operation-table.ts';
import { createFunctionUrlConfig } from './create-function-url-config.ts';
import { deleteFunctionUrlConfig } from './delete-function-url-config.ts';
import { getFunctionUrlConfig } from './get-function-url-config.ts';
import { listFunctionUrlConfigs } from './list-function-url-configs.ts';
import { updateFunctionUrlConfig } from './update-function-url-config.ts';

export const functionUrlOperations = {
  CreateFunctionUrlConfig: createFunctionUrlConfig,
  DeleteFunctionUrlConfig: deleteFunctionUrlConfig,
  GetFunctionUrlConfig: getFunctionUrlConfig,
  ListFunctionUrlConfigs: listFunctionUrlConfigs,
  UpdateFunctionUrlConfig: updateFunctionUrlConfig,
} satisfies OperationTable;
