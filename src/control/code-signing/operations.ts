/** The operations on code signing configurations. */
import type { OperationTable } from '../operation-table.ts';
import { createCodeSigningConfig } from './create-code-signing-config.ts';
import { deleteCodeSigningConfig } from './delete-code-signing-config.ts';
import {
  deleteFunctionCodeSigningConfig,
  getFunctionCodeSigningConfig,
  putFunctionCodeSigningConfig,
} from './function-code-signing-config.ts';
import { getCodeSigningConfig } from './get-code-signing-config.ts';
import { listCodeSigningConfigs } from './list-code-signing-configs.ts';
import { listFunctionsByCodeSigningConfig } from './list-functions-by-code-signing-config.ts';
import { updateCodeSigningConfig } from './update-code-signing-config.ts';

export const codeSigningOperations = {
  CreateCodeSigningConfig: createCodeSigningConfig,
  DeleteCodeSigningConfig: deleteCodeSigningConfig,
  DeleteFunctionCodeSigningConfig: deleteFunctionCodeSigningConfig,
  GetCodeSigningConfig: getCodeSigningConfig,
  GetFunctionCodeSigningConfig: getFunctionCodeSigningConfig,
  ListCodeSigningConfigs: listCodeSigningConfigs,
  ListFunctionsByCodeSigningConfig: listFunctionsByCodeSigningConfig,
  PutFunctionCodeSigningConfig: putFunctionCodeSigningConfig,
  UpdateCodeSigningConfig: updateCodeSigningConfig,
} satisfies OperationTable;
