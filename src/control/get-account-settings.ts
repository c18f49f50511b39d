/** GetAccountSettings: the account's limits and what it uses of them. */
import type { GetAccountSettingsResponse } from '../model/generated/api-types.ts';
import { limits } from '../model/limits.ts';
import type { ControlContext } from './control-context.ts';

export async function getAccountSettings({
  catalog,
  settings,
}: ControlContext): Promise<GetAccountSettingsResponse> {
  const { functionCount, codeBytes } = catalog.usage;
  return {
    AccountLimit: {
      TotalCodeSize: settings.codeStorageBytesMax,
      CodeSizeUnzipped: limits.codeUnzippedBytesMax,
      CodeSizeZipped: limits.codeZippedBytesMax,
      ConcurrentExecutions: settings.concurrentExecutions,
      // Less what functions have reserved: none can yet.
      UnreservedConcurrentExecutions: settings.concurrentExecutions,
    },
    AccountUsage: { TotalCodeSize: codeBytes, FunctionCount: functionCount },
  };
}
