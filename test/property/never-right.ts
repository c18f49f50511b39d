/**
 * Members of inputs, and values of enums, that no right input can hold here, each with the reason. A name
 * stands for all that is below it. The test of right inputs asks for one of every other member, and
 * for the removal of a line whose member has got one.
 */
const capacity = 'of the capacity-provider family';
const durable = 'of the durable-execution family';
const images =
  'container images are refused: their answers are tested by test/conformance/function-images';

export const neverRight: Readonly<Record<string, string>> = {
  'CreateFunction CapacityProviderConfig': capacity,
  'CreateFunction DurableConfig': durable,
  'CreateFunction PublishTo': capacity,
  'CreateFunction TenancyConfig': 'refused until tenants are isolated',
  'CreateFunction Code.ImageUri': images,
  'CreateFunction PackageType=Image': images,
  'CreateFunction ImageConfig': images,
  'CreateFunction Code.S3ObjectStorageMode=REFERENCE': 'packages are always copied here',
  'UpdateFunctionCode ImageUri': images,
  'UpdateFunctionCode PublishTo': capacity,
  'UpdateFunctionCode S3ObjectStorageMode=REFERENCE': 'packages are always copied here',
  'UpdateFunctionConfiguration CapacityProviderConfig': capacity,
  'UpdateFunctionConfiguration DurableConfig': durable,
  'UpdateFunctionConfiguration ImageConfig': images,
  'PublishVersion PublishTo': capacity,
  'PublishLayerVersion Content.S3ObjectStorageMode=REFERENCE': 'packages are always copied here',
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
  return Object.keys(neverRight).find(
    (name) =>
      member === name || (member.startsWith(name) && /^[ .=[{]/u.test(member.slice(name.length))),
  );
}
