import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlOperations, type ControlPlane } from '../../control/control-plane.ts';
import type { Invoker } from '../../invoke/invoke.ts';
import { implementedOperations } from './implemented.ts';
import { createOperationHandlers } from './operations.ts';

test('createOperationHandlers has a handler for exactly the operations listed as implemented', () => {
  const handlers = createOperationHandlers({
    control: { operations: controlOperations, close: async () => {} } as unknown as ControlPlane,
    invoker: {} as Invoker,
    identity: { accountId: '000000000000', region: 'us-east-1' },
  });
  assert.deepEqual(Object.keys(handlers).sort(), [...implementedOperations].sort());
});
