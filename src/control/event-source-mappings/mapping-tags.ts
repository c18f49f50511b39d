/** Tags of event source mappings. */
import { requestedResourceNotFound } from '../../model/errors.ts';
import {
  eventSourceMappingArn,
  type EventSourceMappingRecord,
} from '../../model/event-source-mapping.ts';
import type { StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { taggedDocument, type TaggedKind } from '../tags/tagged-kind.ts';
import { requireMapping } from './mapping-documents.ts';

export const mappingTags: TaggedKind = {
  arnPattern: /^arn:[^:]*:lambda:[^:]*:[^:]*:event-source-mapping:/,

  async find(context, arn) {
    return taggedDocument(await mappingOf(context, arn));
  },
};

/** Throws ResourceNotFound, also for a mapping of another account or region. */
async function mappingOf(
  context: ControlContext,
  arn: string,
): Promise<StoredDocument<EventSourceMappingRecord>> {
  const uuid = arn.slice(arn.lastIndexOf(':') + 1);
  if (arn !== eventSourceMappingArn(context.settings, uuid)) throw requestedResourceNotFound();
  return requireMapping(context, uuid);
}
