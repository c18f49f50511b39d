/** TagResource, UntagResource and ListTags, for every kind of resource that can have tags. */
import { invalidParameterValue, requestedResourceNotFound } from '../../model/errors.ts';
import type {
  ListTagsRequest,
  ListTagsResponse,
  TagResourceRequest,
  UntagResourceRequest,
} from '../../model/generated/api-types.ts';
import { checkTags, withoutTags, withTags, type Tags } from '../../model/tags.ts';
import { codeSigningTags } from '../code-signing/code-signing-tags.ts';
import { commitWithRetry } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { mappingTags } from '../event-source-mappings/mapping-tags.ts';
import { functionTags } from '../functions/function-tags.ts';
import type { TaggedKind } from './tagged-kind.ts';

const kinds: readonly TaggedKind[] = [functionTags, codeSigningTags, mappingTags];

/** Tags are looked at before what they are for (radkawar/stackd's notes of the service). */
export async function tagResource(
  context: ControlContext,
  { Resource, Tags }: TagResourceRequest,
): Promise<Record<string, never>> {
  if (Object.keys(Tags).length === 0) {
    throw invalidParameterValue('An error occurred and the request cannot be processed.');
  }
  checkTags(Tags);
  return changeTags(context, Resource, (tags) => withTags(tags, Tags));
}

export async function untagResource(
  context: ControlContext,
  { Resource, TagKeys }: UntagResourceRequest,
): Promise<Record<string, never>> {
  return changeTags(context, Resource, (tags) => withoutTags(tags, TagKeys));
}

export async function listTags(
  context: ControlContext,
  { Resource }: ListTagsRequest,
): Promise<ListTagsResponse> {
  const { tags } = await kindOf(Resource).find(context, Resource);
  return { Tags: { ...tags } };
}

async function changeTags(
  context: ControlContext,
  arn: string,
  change: (tags: Tags) => Tags,
): Promise<Record<string, never>> {
  const kind = kindOf(arn);
  return commitWithRetry(context.store, async () => {
    const present = await kind.find(context, arn);
    return { operations: [present.retag(change)], result: {} };
  });
}

function kindOf(arn: string): TaggedKind {
  const kind = kinds.find(({ arnPattern }) => arnPattern.test(arn));
  if (kind === undefined) throw requestedResourceNotFound();
  return kind;
}
