/** TagResource, UntagResource and ListTags, for every kind of resource that can have tags. */
import { invalidParameterValue, requestedResourceNotFound } from '../../model/errors.ts';
import type {
  ListTagsRequest,
  ListTagsResponse,
  TagResourceRequest,
  UntagResourceRequest,
} from '../../model/generated/api-types.ts';
import { withoutTags, withTags } from '../../model/tags.ts';
import { codeSigningTags } from '../code-signing/code-signing-tags.ts';
import type { ControlContext } from '../control-context.ts';
import { mappingTags } from '../event-source-mappings/mapping-tags.ts';
import { functionTags } from '../functions/function-tags.ts';
import type { TaggedKind } from './tagged-kind.ts';

const kinds: readonly TaggedKind[] = [functionTags, codeSigningTags, mappingTags];

export async function tagResource(
  context: ControlContext,
  { Resource, Tags }: TagResourceRequest,
): Promise<Record<string, never>> {
  if (Object.keys(Tags).length === 0) {
    throw invalidParameterValue('An error occurred and the request cannot be processed.');
  }
  await kindOf(Resource).change(context, Resource, (tags) => withTags(tags, Tags));
  return {};
}

export async function untagResource(
  context: ControlContext,
  { Resource, TagKeys }: UntagResourceRequest,
): Promise<Record<string, never>> {
  await kindOf(Resource).change(context, Resource, (tags) => withoutTags(tags, TagKeys));
  return {};
}

export async function listTags(
  context: ControlContext,
  { Resource }: ListTagsRequest,
): Promise<ListTagsResponse> {
  return { Tags: { ...(await kindOf(Resource).read(context, Resource)) } };
}

function kindOf(arn: string): TaggedKind {
  const kind = kinds.find(({ arnPattern }) => arnPattern.test(arn));
  if (kind === undefined) throw requestedResourceNotFound();
  return kind;
}
