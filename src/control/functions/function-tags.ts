/** Tags of functions: they belong to the function, not to its versions. */
import { invalidParameterValue } from '../../model/errors.ts';
import type { FunctionRecord } from '../../model/function.ts';
import type { ControlContext } from '../control-context.ts';
import { putDocument } from '../commit.ts';
import type { TaggedKind } from '../tags/tagged-kind.ts';
import { checkNotUpdating } from './change-latest.ts';
import { timestamp } from './function-configuration.ts';
import {
  requireFunction,
  resolveReference,
  withNewRevision,
  type Reference,
} from './function-documents.ts';

export const functionTags: TaggedKind = {
  arnPattern: /^arn:[^:]*:lambda:[^:]*:[^:]*:function:/,

  async find(context, arn) {
    const present = await requireFunction(context, wholeFunction(context, arn));
    return {
      tags: present.value.tags,
      retag(change) {
        // The guide's page 044 has TagResource among what fails during updates, not during creation.
        checkNotUpdating(present.value.latest.configuration);
        const tags = change(present.value.tags);
        return putDocument(present, { ...touched(context, present.value), tags });
      },
    };
  },
};

/** With another RevisionId and LastModified, also if no tag changes (radkawar/stackd's notes of the service). */
function touched(context: ControlContext, record: FunctionRecord): FunctionRecord {
  const { latest, ...rest } = withNewRevision(context, record);
  const LastModified = timestamp(context.clock.nowMs());
  const configuration = { ...latest.configuration, LastModified };
  return { ...rest, latest: { ...latest, configuration } };
}

function wholeFunction(context: ControlContext, arn: string): Reference {
  const reference = resolveReference(context, arn);
  if (reference.qualifier !== undefined) {
    throw invalidParameterValue(
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    );
  }
  return reference;
}
