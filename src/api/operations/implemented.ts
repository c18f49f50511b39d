/** The operations that have a handler: the source of docs/reference/api-coverage.md. */
import { controlOperations } from '../../control/control-plane.ts';
import type { ApiOperationName } from '../../model/generated/api-types.ts';

export const implementedOperations: readonly ApiOperationName[] = [
  ...(Object.keys(controlOperations) as (keyof typeof controlOperations)[]),
  'Invoke',
];
