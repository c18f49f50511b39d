/** PublishVersion: freezes $LATEST as a numbered version, or gives the last one if nothing changed. */
import { invalidParameterValue } from '../../model/errors.ts';
import type {
  FunctionConfiguration,
  PublishVersionRequest,
} from '../../model/generated/api-types.ts';
import { checkChangeable } from './change-latest.ts';
import type { ControlContext } from '../control-context.ts';
import { notSupported } from './function-configuration.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import { requireFunction, resolveUnqualified, withNewRevision } from './function-documents.ts';
import { planVersion } from './plan-version.ts';
import { renderConfiguration } from './render-configuration.ts';

export async function publishVersion(
  context: ControlContext,
  input: PublishVersionRequest,
): Promise<FunctionConfiguration> {
  const reference = resolveUnqualified(context, input.FunctionName);
  if (input.PublishTo !== undefined) throw notSupported('PublishTo');
  return commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, reference);
    const { latest } = present.value;
    checkChangeable(present.value, input.RevisionId);
    // Of an image there may be none (model/image-uri.ts).
    const { CodeSha256: current = 'unknown' } = latest.configuration;
    if (input.CodeSha256 !== undefined && input.CodeSha256 !== current) {
      throw invalidParameterValue(
        `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST ` +
          `(${current}). Please try again with the CodeSHA256 in $LATEST.`,
      );
    }
    const description = input.Description;
    const { operations, version } = await planVersion(context, latest, { description });
    const { configuration } = version;
    const result = renderConfiguration(configuration, context.settings, configuration.Version);
    if (operations.length === 0) return { operations, result };
    // Publishing gives $LATEST another revision; writing it also keeps a deletion from passing by.
    const revised = withNewRevision(context, present.value);
    return { operations: [putDocument(present, revised), ...operations], result };
  });
}
