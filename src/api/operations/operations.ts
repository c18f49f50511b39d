/** Composes the handlers of all operations that Hearth has; implemented.ts lists them. */
import type { ControlPlane } from '../../control/control-plane.ts';
import type { Invoker } from '../../invoke/invoke.ts';
import type { Identity } from '../../model/arn.ts';
import type { OperationHandlers } from '../operation.ts';
import { invokeHandler } from './invoke.ts';

export interface OperationPlanes {
  readonly control: ControlPlane;
  readonly invoker: Invoker;
  readonly identity: Identity;
}

export function createOperationHandlers({
  control,
  invoker,
  identity,
}: OperationPlanes): OperationHandlers {
  return { ...control.operations, Invoke: invokeHandler(invoker, identity) };
}
