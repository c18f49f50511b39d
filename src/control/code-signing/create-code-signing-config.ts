/** CreateCodeSigningConfig: whose signatures functions are to trust, and what becomes of other code. */
import type { CodeSigningConfigRecord } from '../../model/code-signing.ts';
import type {
  CreateCodeSigningConfigRequest,
  CreateCodeSigningConfigResponse,
} from '../../model/generated/api-types.ts';
import { withTags } from '../../model/tags.ts';
import { commitWithRetry, writeDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { timestamp } from '../functions/function-configuration.ts';
import { codeSigningConfigKey, renderCodeSigningConfig } from './code-signing-documents.ts';

/** Hexadecimal digits of an id, as public reports show them ('csc-077c33b4c19e26036'). */
const ID_DIGITS = 17;

/** The policy is Warn unless the request says otherwise (guide page 009). */
export async function createCodeSigningConfig(
  context: ControlContext,
  input: CreateCodeSigningConfigRequest,
): Promise<CreateCodeSigningConfigResponse> {
  const tags = withTags({}, input.Tags ?? {});
  const { clock, random, settings, store } = context;
  // Planned anew, with another id, should this one be taken.
  return commitWithRetry(store, () => {
    const record: CodeSigningConfigRecord = {
      configId: `csc-${random.hex(Math.ceil(ID_DIGITS / 2)).slice(0, ID_DIGITS)}`,
      description: input.Description ?? null,
      signingProfileVersionArns: input.AllowedPublishers.SigningProfileVersionArns,
      untrustedArtifactOnDeployment:
        input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? 'Warn',
      lastModified: timestamp(clock.nowMs()),
      tags,
    };
    const write = writeDocument(codeSigningConfigKey(record.configId), undefined, record);
    const result = { CodeSigningConfig: renderCodeSigningConfig(record, settings) };
    return Promise.resolve({ operations: [write], result });
  });
}
