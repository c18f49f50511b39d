/** Tags of code signing configurations. */
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { TaggedKind } from '../tags/tagged-kind.ts';
import { requireCodeSigningConfig } from './code-signing-documents.ts';

export const codeSigningTags: TaggedKind = {
  arnPattern: /^arn:[^:]*:lambda:[^:]*:[^:]*:code-signing-config:/,

  async read(context, arn) {
    const { value } = await requireCodeSigningConfig(context, arn);
    return value.tags;
  },

  async change(context: ControlContext, arn, change) {
    await commitWithRetry(context.store, async () => {
      const present = await requireCodeSigningConfig(context, arn);
      const value = { ...present.value, tags: change(present.value.tags) };
      return { operations: [putDocument(present, value)], result: undefined };
    });
  },
};
