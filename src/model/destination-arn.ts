/** ARNs of what records of asynchronous invocations can go to (guide page 027). */

export type DestinationKind = 'sqs' | 'sns' | 'lambda' | 'events' | 's3';

export interface Destination {
  readonly kind: DestinationKind;
  /** Empty for a bucket, whose ARN names none. */
  readonly region: string;
  /** Empty for a bucket, whose ARN names none. */
  readonly accountId: string;
  /** A queue's, topic's, event bus's or bucket's name; NAME or NAME:QUALIFIER of a function. */
  readonly resource: string;
}

const place = '(?<region>[a-z0-9-]+):(?<accountId>[0-9]{12})';

/** The whole ARN after `arn:PARTITION:`; how long it may be is the service model's rule. */
const patterns: Readonly<Record<DestinationKind, RegExp>> = {
  sqs: new RegExp(`^sqs:${place}:(?<resource>[a-zA-Z0-9_-]+(?:\\.fifo)?)$`, 'u'),
  sns: new RegExp(`^sns:${place}:(?<resource>[a-zA-Z0-9_-]+(?:\\.fifo)?)$`, 'u'),
  lambda: new RegExp(
    `^lambda:${place}:function:(?<resource>[a-zA-Z0-9_-]+(?::(?:\\$LATEST|[a-zA-Z0-9_-]+))?)$`,
    'u',
  ),
  events: new RegExp(`^events:${place}:event-bus/(?<resource>[a-zA-Z0-9._-]+)$`, 'u'),
  s3: /^s3:::(?<resource>[a-z0-9][a-z0-9.-]+[a-z0-9])$/u,
};

/** The service that an ARN names; undefined for one that no records can go to. */
export function destinationKindOf(arn: string): DestinationKind | undefined {
  const [prefix, , service = ''] = arn.split(':');
  return prefix === 'arn' && Object.hasOwn(patterns, service)
    ? (service as DestinationKind)
    : undefined;
}

/** Undefined for an ARN of a service that is no destination, and for one that is not well-formed. */
export function parseDestinationArn(arn: string): Destination | undefined {
  const kind = destinationKindOf(arn);
  if (kind === undefined) return undefined;
  const afterPartition = arn.split(':').slice(2).join(':');
  const groups = patterns[kind].exec(afterPartition)?.groups;
  if (groups === undefined) return undefined;
  const { region = '', accountId = '', resource = '' } = groups;
  return { kind, region, accountId, resource };
}

/** FIFO queues and topics cannot take records. */
export function isFifo({ resource }: Destination): boolean {
  return resource.endsWith('.fifo');
}
