/**
 * Bounds of the HTTP edge: what a request may weigh and how long it may take to arrive.
 *
 * The first group is the service's own, known from the wording of its refusals; the rest is ours.
 */
import type { ApiOperationName } from './generated/api-types.ts';
import { KIB, limits, MIB } from './limits.ts';
import { codeRequestBytesMax, defaultQuotas, type Quotas } from './quotas.ts';

export const apiLimits = {
  /** Bodies of operations that carry no code and no payload. */
  requestBytesMax: 1 * MIB,
  /** A durable execution's checkpoint: one payload of 6 MiB (service model) in JSON, plus the rest. */
  checkpointRequestBytesMax: 8 * MIB,
  /** Request line and headers together: a tag list in the query string fits, little more. */
  headerBytesMax: 64 * KIB,
  /** Longest path parameter in characters: an ARN of 10,000 (service model), percent-encoded. */
  pathParameterLengthMax: 30_000,
  /** A whole request, body included, has to arrive within this time. */
  requestTimeoutMs: 300_000,
  /** The headers alone, which also bounds a connection that sends nothing. */
  headersTimeoutMs: 20_000,
  /** How often the two above are checked. */
  timeoutCheckIntervalMs: 2_000,
  /** Idle time of a kept connection: longer than SDK agents keep theirs, so that they close first. */
  keepAliveTimeoutMs: 75_000,
  connectionsMax: 10_000,
  /** After refusing a body: how much more of it is read and dropped so that the client sees why. */
  refusedBodyBytesMax: 256 * MIB,
  refusedBodyMs: 10_000,
  /** A longer value is cut in validation messages. */
  quotedValueLengthMax: 4_096,
  /** Violations reported for one request. */
  violationsMax: 100,
  /** Characters matched against a pattern when its shape has no maximum length. */
  patternInputLengthMax: 4_096,
  /** Characters matched against a pattern even when they are more than its shape's maximum. */
  patternInputLengthTried: 1_024,
} as const;

interface BodyLimit {
  readonly bytesMax: number;
  /** The operation's name in the refusal: Invoke is the action InvokeFunction there. */
  readonly actionName: string;
}

const invokeLimit: BodyLimit = {
  bytesMax: limits.invokeRequestBytesMax,
  actionName: 'InvokeFunction',
};

/** Operations that carry an archive: their bodies may be as large as the quota of archives asks for. */
const codeOperations: ReadonlySet<ApiOperationName> = new Set([
  'CreateFunction',
  'UpdateFunctionCode',
  'PublishLayerVersion',
]);

const bodyLimits: Readonly<Partial<Record<ApiOperationName, BodyLimit>>> = {
  Invoke: invokeLimit,
  InvokeAsync: invokeLimit,
  InvokeWithResponseStream: invokeLimit,
  CheckpointDurableExecution: {
    bytesMax: apiLimits.checkpointRequestBytesMax,
    actionName: 'CheckpointDurableExecution',
  },
};

/** The largest body that an operation takes. */
export function bodyLimitOf(
  operation: ApiOperationName,
  quotas: Pick<Quotas, 'codeZippedBytesMax'> = defaultQuotas,
): BodyLimit {
  if (codeOperations.has(operation)) {
    return { bytesMax: codeRequestBytesMax(quotas), actionName: operation };
  }
  return bodyLimits[operation] ?? { bytesMax: apiLimits.requestBytesMax, actionName: operation };
}
