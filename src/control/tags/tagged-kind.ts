/** Kinds of resources that can have tags. */
import type { Tags } from '../../model/tags.ts';
import type { StoredDocument, WriteOperation } from '../../store/store.ts';
import { putDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';

/** A resource as it is stored now. */
export interface TaggedResource {
  readonly tags: Tags;
  /** Writes it with other tags, if it is still what was read; throws what keeps its tags as they are. */
  retag(change: (tags: Tags) => Tags): WriteOperation;
}

export interface TaggedKind {
  /** Which resources are of this kind, by their ARNs. */
  readonly arnPattern: RegExp;
  /** Rejects with what the resource's own operations say of one that is not there. */
  find(context: ControlContext, arn: string): Promise<TaggedResource>;
}

/** A resource whose document holds its tags, of which nothing else changes with them. */
export function taggedDocument<Value extends { readonly tags: Tags }>(
  document: StoredDocument<Value>,
): TaggedResource {
  const { value } = document;
  return {
    tags: value.tags,
    retag: (change) => putDocument(document, { ...value, tags: change(value.tags) }),
  };
}
