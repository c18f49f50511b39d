/** UpdateCodeSigningConfig: members left out stay as they are; it counts from the next deployment. */
import type { CodeSigningConfigRecord } from '../../model/code-signing.ts';
import type {
  UpdateCodeSigningConfigRequest,
  UpdateCodeSigningConfigResponse,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { timestamp } from '../functions/function-configuration.ts';
import { renderCodeSigningConfig, requireCodeSigningConfig } from './code-signing-documents.ts';

export async function updateCodeSigningConfig(
  context: ControlContext,
  input: UpdateCodeSigningConfigRequest,
): Promise<UpdateCodeSigningConfigResponse> {
  const { clock, settings, store } = context;
  return commitWithRetry(store, async () => {
    const present = await requireCodeSigningConfig(context, input.CodeSigningConfigArn);
    const { value } = present;
    const changed: CodeSigningConfigRecord = {
      ...value,
      description: input.Description ?? value.description,
      signingProfileVersionArns:
        input.AllowedPublishers?.SigningProfileVersionArns ?? value.signingProfileVersionArns,
      untrustedArtifactOnDeployment:
        input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ??
        value.untrustedArtifactOnDeployment,
      lastModified: timestamp(clock.nowMs()),
    };
    const result = { CodeSigningConfig: renderCodeSigningConfig(changed, settings) };
    return { operations: [putDocument(present, changed)], result };
  });
}
