/** Changes a function's own document, for settings that belong to the function and not to its versions. */
import type { FunctionRecord } from '../../model/function.ts';
import { commitWithRetry, putDocument } from '../commit.ts';
import type { ControlContext } from '../control-context.ts';
import { requireFunction, type Reference } from './function-documents.ts';

/**
 * Commits what `change` makes of the record; it may be called more than once. One that returns the
 * record itself writes nothing. Throws ResourceNotFound and what `change` throws.
 */
export async function changeFunction(
  context: ControlContext,
  reference: Reference,
  change: (record: FunctionRecord) => FunctionRecord,
): Promise<void> {
  await commitWithRetry(context.store, async () => {
    const present = await requireFunction(context, reference);
    const changed = change(present.value);
    const operations = changed === present.value ? [] : [putDocument(present, changed)];
    return { operations, result: undefined };
  });
}
