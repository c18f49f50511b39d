/** The operations on reserved and provisioned concurrency. */
import type { OperationTable } from '../operation-table.ts';
import { deleteProvisionedConcurrencyConfig } from './delete-provisioned-concurrency-config.ts';
import {
  deleteFunctionConcurrency,
  getFunctionConcurrency,
  putFunctionConcurrency,
} from './function-concurrency.ts';
import {
  getProvisionedConcurrencyConfig,
  listProvisionedConcurrencyConfigs,
} from './get-provisioned-concurrency-config.ts';
import { putProvisionedConcurrencyConfig } from './put-provisioned-concurrency-config.ts';

export const concurrencyOperations = {
  DeleteFunctionConcurrency: deleteFunctionConcurrency,
  DeleteProvisionedConcurrencyConfig: deleteProvisionedConcurrencyConfig,
  GetFunctionConcurrency: getFunctionConcurrency,
  GetProvisionedConcurrencyConfig: getProvisionedConcurrencyConfig,
  ListProvisionedConcurrencyConfigs: listProvisionedConcurrencyConfigs,
  PutFunctionConcurrency: putFunctionConcurrency,
  PutProvisionedConcurrencyConfig: putProvisionedConcurrencyConfig,
} satisfies OperationTable;
