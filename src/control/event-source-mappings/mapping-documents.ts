/** Reading mappings' documents, and whom a mapping invokes. */
import { requestedResourceNotFound } from '../../model/errors.ts';
import { refuseForTenants } from '../../model/tenant-isolation.ts';
import { mappingFunctionMissing } from '../../model/trigger-errors.ts';
import {
  eventSourceMappingCollections,
  type EventSourceMappingRecord,
} from '../../model/event-source-mapping.ts';
import type { DocumentKey, Store, StoredDocument } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { resolveReference, type Reference } from '../functions/function-documents.ts';
import { findQualified } from '../functions/qualifiers.ts';

/** Mappings read at once while all of them are walked through. */
const MAPPINGS_PER_READ = 100;

export function mappingKey(uuid: string): DocumentKey {
  return { collection: eventSourceMappingCollections.mapping, partition: uuid, id: '' };
}

/** Throws ResourceNotFound for a UUID that no mapping has. */
export async function requireMapping(
  { store }: ControlContext,
  uuid: string,
): Promise<StoredDocument<EventSourceMappingRecord>> {
  const document = await store.get<EventSourceMappingRecord>(mappingKey(uuid));
  if (document === undefined) throw requestedResourceNotFound();
  return document;
}

/** All mappings by UUID, from after one. */
export async function* mappingsAfter(
  store: Store,
  uuid = '',
): AsyncGenerator<EventSourceMappingRecord> {
  for (let partition: string | undefined = uuid; partition !== undefined;) {
    const documents: StoredDocument<EventSourceMappingRecord>[] = await store.list(
      eventSourceMappingCollections.mapping,
      { after: { partition, id: '' }, limit: MAPPINGS_PER_READ },
    );
    for (const { value } of documents) yield value;
    partition = documents.length < MAPPINGS_PER_READ ? undefined : documents.at(-1)?.partition;
  }
}

/**
 * The function that a request wants invoked. Throws InvalidParameterValue for one, or a version or
 * alias of one, that is not there, and for one whose invocations have to name a tenant.
 */
export async function requireTarget(context: ControlContext, input: string): Promise<Reference> {
  const reference = resolveReference(context, input);
  const target = await findQualified(context, reference);
  if (target === undefined) throw mappingFunctionMissing();
  refuseForTenants('Event source mapping', target.value.latest.configuration);
  return reference;
}
