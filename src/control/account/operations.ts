/** The operations on the account. */
import type { OperationTable } from '../operation-table.ts';
import { getAccountSettings } from './get-account-settings.ts';

export const accountOperations = {
  GetAccountSettings: getAccountSettings,
} satisfies OperationTable;
