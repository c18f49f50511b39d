/** The operations on settings of functions and versions that are not part of their configuration. */
import type { OperationTable } from '../operation-table.ts';
import {
  getFunctionRecursionConfig,
  putFunctionRecursionConfig,
} from './function-recursion-config.ts';
import { getFunctionScalingConfig, putFunctionScalingConfig } from './function-scaling-config.ts';
import {
  getRuntimeManagementConfig,
  putRuntimeManagementConfig,
} from './runtime-management-config.ts';

export const functionSettingOperations = {
  GetFunctionRecursionConfig: getFunctionRecursionConfig,
  GetFunctionScalingConfig: getFunctionScalingConfig,
  GetRuntimeManagementConfig: getRuntimeManagementConfig,
  PutFunctionRecursionConfig: putFunctionRecursionConfig,
  PutFunctionScalingConfig: putFunctionScalingConfig,
  PutRuntimeManagementConfig: putRuntimeManagementConfig,
} satisfies OperationTable;
