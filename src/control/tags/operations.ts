/** The operations on tags. */
import type { OperationTable } from '../operation-table.ts';
import { listTags, tagResource, untagResource } from './tag-resource.ts';

export const tagOperations = {
  ListTags: listTags,
  TagResource: tagResource,
  UntagResource: untagResource,
} satisfies OperationTable;
