/** GetAccountSettings: the account's limits and what it uses of them. */
import type { GetAccountSettingsResponse } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';

export async function getAccountSettings({
  catalog,
  claims,
  settings,
}: ControlContext): Promise<GetAccountSettingsResponse> {
  const { functionCount, codeBytes } = catalog.usage;
  return {
    AccountLimit: {
      TotalCodeSize: settings.codeStorageBytesMax,
      CodeSizeUnzipped: settings.codeUnzippedBytesMax,
      CodeSizeZipped: settings.codeZippedBytesMax,
      ConcurrentExecutions: settings.concurrentExecutions,
      // After a restart with a lower limit functions may have more for themselves than there is.
      UnreservedConcurrentExecutions: Math.max(0, settings.concurrentExecutions - claims.total),
    },
    AccountUsage: { TotalCodeSize: codeBytes, FunctionCount: functionCount },
  };
}
