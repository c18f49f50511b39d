/** DeleteCodeSigningConfig: only a configuration that no function has. */
import { codeSigningConfigInUse } from '../../model/code-signing-errors.ts';
import type {
  DeleteCodeSigningConfigRequest,
  DeleteCodeSigningConfigResponse,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, deleteDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { requireCodeSigningConfig } from './code-signing-documents.ts';

/** Throws ResourceNotFound, and ResourceConflict while functions have it. */
export async function deleteCodeSigningConfig(
  context: ControlContext,
  input: DeleteCodeSigningConfigRequest,
): Promise<DeleteCodeSigningConfigResponse> {
  const { CodeSigningConfigArn: arn } = input;
  // In turn with attachments: function and configuration cannot be changed by one commit.
  return context.codeSigningTurns.run(() =>
    commitWithRetry(context.store, async () => {
      const present = await requireCodeSigningConfig(context, arn);
      if (context.codeSigningUsers.isUsed(present.value.configId))
        throw codeSigningConfigInUse(arn);
      return { operations: [deleteDocument(present)], result: {} };
    }),
  );
}
