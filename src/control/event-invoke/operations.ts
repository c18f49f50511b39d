/** The operations on what becomes of asynchronous invocations: retries, age and destinations. */
import type { OperationTable } from '../operation-table.ts';
import { deleteFunctionEventInvokeConfig } from './delete-function-event-invoke-config.ts';
import { getFunctionEventInvokeConfig } from './get-function-event-invoke-config.ts';
import { listFunctionEventInvokeConfigs } from './list-function-event-invoke-configs.ts';
import { putFunctionEventInvokeConfig } from './put-function-event-invoke-config.ts';
import { updateFunctionEventInvokeConfig } from './update-function-event-invoke-config.ts';

export const eventInvokeOperations = {
  DeleteFunctionEventInvokeConfig: deleteFunctionEventInvokeConfig,
  GetFunctionEventInvokeConfig: getFunctionEventInvokeConfig,
  ListFunctionEventInvokeConfigs: listFunctionEventInvokeConfigs,
  PutFunctionEventInvokeConfig: putFunctionEventInvokeConfig,
  UpdateFunctionEventInvokeConfig: updateFunctionEventInvokeConfig,
} satisfies OperationTable;
