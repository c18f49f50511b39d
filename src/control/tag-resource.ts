/** TagResource, UntagResource and ListTags: tags belong to the function, not to its versions. */
import { invalidParameterValue, resourceNotFound } from '../model/errors.ts';
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
  withNewRevision,
  type Reference,
} from './function-documents.ts';

export async function tagResource(
  context: ControlContext,
  input: TagResourceRequest,
): Promise<Record<string, never>> {
  if (Object.keys(input.Tags).length === 0) {
    throw invalidParameterValue('An error occurred and the request cannot be processed.');
  }
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
    const tags = change(present.value.tags);
    const record = { ...withNewRevision(context, present.value), tags };
    return { operations: [putFunction(present, record)], result: {} };
  });
}

/** Resources of other kinds that can have tags do not exist here. */
function taggedFunction(context: ControlContext, resource: string): Reference {
  if (!/^arn:[^:]*:lambda:[^:]*:[^:]*:function:/.test(resource)) {
    throw resourceNotFound('The resource you requested does not exist.');
  }
  const reference = resolveReference(context, resource);
  if (reference.qualifier !== undefined) {
    throw invalidParameterValue(
      'Tags on function aliases and versions are not supported. Please specify a function ARN.',
    );
  }
  return reference;
}
