/** Operations of the API as the rooms of the control plane offer them: name to function. */
import type { ApiOperationName, ApiOperations } from '../model/generated/api-types.ts';
import type { ControlContext } from './control-context.ts';

/** Links in an answer begin with where the client reached the server: 'http://HOST:PORT'. */
export interface ClientView {
  readonly baseUrl: string;
}

/**
 * The input has been checked against the service model; rules beyond it are the operation's. Rejects
 * with an ApiError for what the caller can put right.
 */
export type OperationTable = {
  readonly [Name in ApiOperationName]?: (
    context: ControlContext,
    input: ApiOperations[Name]['input'],
    client: ClientView,
  ) => Promise<ApiOperations[Name]['output']>;
};

/** The same operations, with a context of their own. */
export type BoundOperations<Table extends OperationTable> = {
  readonly [Name in keyof Table]: Table[Name] extends (
    context: ControlContext,
    ...rest: infer Rest
  ) => infer Output
    ? (...rest: Rest) => Output
    : never;
};

export function bindOperations<Table extends OperationTable>(
  table: Table,
  context: ControlContext,
): BoundOperations<Table> {
  const bound = Object.entries(table).map(([name, operation]) => [
    name,
    (operation as (...all: unknown[]) => unknown).bind(undefined, context),
  ]);
  return Object.fromEntries(bound) as BoundOperations<Table>;
}
