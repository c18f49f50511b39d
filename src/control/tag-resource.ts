/** TagResource, UntagResource and ListTags: tags belong to the function, not to its versions. */
import { invalidParameterValue } from '../model/errors.ts';
import type { FunctionRecord } from '../model/function.ts';
import type {
  ListTagsRequest,
  ListTagsResponse,
  TagResourceRequest,
  UntagResourceRequest,
} from '../model/generated/api-types.ts';
import { withoutTags, withTags, type Tags } from '../model/tags.ts';
import { checkSettled } from './change-latest.ts';
import type { ControlContext } from './control-context.ts';
import {
  commitWithRetry,
  putFunction,
  requireFunction,
  resolveReference,
  type Reference,
} from './function-documents.ts';

export async function tagResource(
  context: ControlContext,
  input: TagResourceRequest,
): Promise<Record<string, never>> {
  return changeTags(context, input.Resource, (tags) => withTags(tags, input.Tags));
}

export async function untagResource(
  context: ControlContext,
  input: UntagResourceRequest,
): Promise<Record<string, never>> {
  return changeTags(context, input.Resource, (tags) => withoutTags(tags, input.TagKeys));
}

export async function listTags(
  context: ControlContext,
  input: ListTagsRequest,
): Promise<ListTagsResponse> {
  const { value } = await requireFunction(context, taggedFunction(context, input.Resource));
  return { Tags: { ...value.tags } };
}

async function changeTags(
  context: ControlContext,
  resource: string,
  change: (tags: Tags) => Tags,
): Promise<Record<string, never>> {
  const reference = taggedFunction(context, resource);
  return commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, reference);
    checkSettled(present.value.latest.configuration);
    const { latest } = present.value;
    const record: FunctionRecord = {
      latest: {
        ...latest,
        configuration: { ...latest.configuration, RevisionId: context.random.uuid() },
      },
      tags: change(present.value.tags),
    };
    return { operations: [putFunction(present, record)], result: {} };
  });
}

/** Other kinds of resource that can have tags do not exist here. */
function taggedFunction(context: ControlContext, resource: string): Reference {
  if (!/^arn:[^:]*:lambda:[^:]*:[^:]*:function:/.test(resource)) {
    throw invalidParameterValue('Only functions can have tags on this server yet.');
  }
  const reference = resolveReference(context, resource);
  if (reference.qualifier !== undefined) {
    throw invalidParameterValue(
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    );
  }
  return reference;
}
