/** Tags of functions: they belong to the function, not to its versions. */
import { invalidParameterValue } from '../../model/errors.ts';
import type { ControlContext } from '../control-context.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { TaggedKind } from '../tags/tagged-kind.ts';
import { checkSettled } from './change-latest.ts';
import {
  requireFunction,
  resolveReference,
  withNewRevision,
  type Reference,
} from './function-documents.ts';

export const functionTags: TaggedKind = {
  arnPattern: /^arn:[^:]*:lambda:[^:]*:[^:]*:function:/,

  async read(context, arn) {
    const { value } = await requireFunction(context, wholeFunction(context, arn));
    return value.tags;
  },

  async change(context, arn, change) {
    const reference = wholeFunction(context, arn);
    await commitWithRetry(context.store, async () => {
      const present = await requireFunction(context, reference);
      checkSettled(present.value.latest.configuration);
      const tags = change(present.value.tags);
      const record = { ...withNewRevision(context, present.value), tags };
      return { operations: [putDocument(present, record)], result: undefined };
    });
  },
};

function wholeFunction(context: ControlContext, arn: string): Reference {
  const reference = resolveReference(context, arn);
  if (reference.qualifier !== undefined) {
    throw invalidParameterValue(
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    );
  }
  return reference;
}
