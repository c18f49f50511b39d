/**
 * Members of inputs, and values of enums, that no right input can hold here, each with the reason. A name
 * stands for all that is below it. The test of right inputs asks for one of every other member, and
 * for the removal of a line whose member has got one.
 */
import type { Runtime } from '../../src/model/generated/api-types.ts';
import { isOffered, runtimes } from '../../src/model/runtimes.ts';

const capacity = 'of the capacity-provider family';
const durable = 'of the durable-execution family';

export const knownRuntimes = Object.keys(runtimes) as readonly Runtime[];

/** No function can be made with these: the service's dates took them away. */
export const pastRuntimes: readonly string[] = knownRuntimes.filter(
  (name) => runtimes[name].blockCreate !== undefined && !isOffered(name),
);

export const neverRight: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['CreateFunction', 'UpdateFunctionConfiguration'].flatMap((operation) =>
      pastRuntimes.map((name) => [`${operation} Runtime=${name}`, 'past its dates']),
    ),
  ),
  'CreateFunction CapacityProviderConfig': capacity,
  'CreateFunction DurableConfig': durable,
  'CreateFunction PublishTo': capacity,
  'UpdateFunctionCode PublishTo': capacity,
  'UpdateFunctionConfiguration CapacityProviderConfig': capacity,
  'UpdateFunctionConfiguration DurableConfig': durable,
  'PublishVersion PublishTo': capacity,
  GetFunctionScalingConfig: `refused for all functions but those ${capacity}`,
  PutFunctionScalingConfig: `refused for all functions but those ${capacity}`,
  'CreateEventSourceMapping DestinationConfig.OnSuccess': 'refused for sources of every kind',
  'UpdateEventSourceMapping DestinationConfig.OnSuccess': 'refused for sources of every kind',
  'UpdateEventSourceMapping AmazonManagedKafkaEventSourceConfig.ConsumerGroupId':
    'cannot be changed, also not to what it is',
  'UpdateEventSourceMapping SelfManagedKafkaEventSourceConfig.ConsumerGroupId':
    'cannot be changed, also not to what it is',
  'UpdateEventSourceMapping DocumentDBEventSourceConfig.DatabaseName': 'cannot be changed',
  'UpdateEventSourceMapping DocumentDBEventSourceConfig.CollectionName': 'cannot be changed',
  'UpdateEventSourceMapping SourceAccessConfigurations[].Type=VIRTUAL_HOST': 'cannot be changed',
  'Invoke InvocationType=Event': 'functions are run elsewhere (test/e2e)',
  'Invoke InvocationType=RequestResponse': 'functions are run elsewhere (test/e2e)',
  'Invoke DurableExecutionName': durable,
  'Invoke TenantId': 'only functions that isolate tenants take one',
};

/** The line that excuses a member: its own, or that of what it is part of. */
export function excuseOf(member: string): string | undefined {
  if (Object.hasOwn(neverRight, member)) return member;
  const [place] = member.split('=');
  return Object.keys(neverRight).find(
    (name) =>
      place === name || (member.startsWith(name) && /^[ .[{]/u.test(member.slice(name.length))),
  );
}
