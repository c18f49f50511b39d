/** GetCodeSigningConfig: one configuration by its ARN. */
import type {
  GetCodeSigningConfigRequest,
  GetCodeSigningConfigResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { renderCodeSigningConfig, requireCodeSigningConfig } from './code-signing-documents.ts';

export async function getCodeSigningConfig(
  context: ControlContext,
  input: GetCodeSigningConfigRequest,
): Promise<GetCodeSigningConfigResponse> {
  const { value } = await requireCodeSigningConfig(context, input.CodeSigningConfigArn);
  return { CodeSigningConfig: renderCodeSigningConfig(value, context.settings) };
}
