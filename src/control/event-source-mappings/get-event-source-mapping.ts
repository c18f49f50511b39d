/** GetEventSourceMapping: with its filters, also when they are encrypted. */
import type {
  EventSourceMappingConfiguration,
  GetEventSourceMappingRequest,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { requireMapping } from './mapping-documents.ts';
import { renderMapping } from './render-mapping.ts';

/** Throws ResourceNotFound. */
export async function getEventSourceMapping(
  context: ControlContext,
  { UUID }: GetEventSourceMappingRequest,
): Promise<EventSourceMappingConfiguration> {
  const { value } = await requireMapping(context, UUID);
  return renderMapping(value.configuration);
}
