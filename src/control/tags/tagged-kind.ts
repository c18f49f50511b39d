/** A kind of resource that can have tags. */
import type { Tags } from '../../model/tags.ts';
import type { ControlContext } from '../control-context.ts';

export interface TaggedKind {
  /** Which resources are of this kind, by their ARNs. */
  readonly arnPattern: RegExp;
  /** Rejects with what the resource's own operations say of one that is not there. */
  read(context: ControlContext, arn: string): Promise<Tags>;
  /** Commits what `change` makes of the tags, which may be called more than once. */
  change(context: ControlContext, arn: string, change: (tags: Tags) => Tags): Promise<void>;
}
