/** DeleteEventSourceMapping: Deleting until it is settled, then gone. */
import { mappingInUse } from '../../model/trigger-errors.ts';
import { isMappingUnsettled } from '../../model/event-source-mapping.ts';
import type {
  DeleteEventSourceMappingRequest,
  EventSourceMappingConfiguration,
} from '../../model/generated/api-types.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { requireMapping } from './mapping-documents.ts';
import { renderMapping } from './render-mapping.ts';

/** Throws ResourceNotFound, ResourceInUse while something is under way. */
export async function deleteEventSourceMapping(
  context: ControlContext,
  { UUID }: DeleteEventSourceMappingRequest,
): Promise<EventSourceMappingConfiguration> {
  return commitWithRetry(context.store, async () => {
    const present = await requireMapping(context, UUID);
    const { configuration: previous } = present.value;
    if (isMappingUnsettled(previous)) throw mappingInUse('delete');
    const LastModified = new Date(context.clock.nowMs()).toISOString();
    const configuration = { ...previous, State: 'Deleting' as const, LastModified };
    const record = { ...present.value, enabled: false, configuration };
    return { operations: [putDocument(present, record)], result: renderMapping(configuration) };
  });
}
