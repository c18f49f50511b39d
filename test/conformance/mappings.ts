/** What the conformance tests of event source mappings share: requests, and waits for lasting states. */
import assert from 'node:assert/strict';
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  GetEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  type EventSourceMappingConfiguration,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { accountId, functionInput, membersOf, refused, region } from './server.ts';

/** Requests in a row until a state lasts; settling takes a few milliseconds. */
const readsMax = 10_000;

export const unknownUuid = '00000000-0000-4000-8000-000000000000';
export const notFound = refused(
  'ResourceNotFoundException',
  'The resource you requested does not exist.',
);

export function queueArn(name: string): string {
  return `arn:aws:sqs:${region}:${accountId}:${name}`;
}

export async function createFunction(client: LambdaClient, name: string): Promise<void> {
  await client.send(new CreateFunctionCommand(functionInput(name)));
}

/** A function of this name, and its mapping of the queue 'orders' in a state that lasts. */
export async function createReader(client: LambdaClient, FunctionName: string) {
  await createFunction(client, FunctionName);
  return createSettled(client, { FunctionName, EventSourceArn: queueArn('orders') });
}

/**
 * On a server that settles nothing: `change` is refused for a mapping that is being created. Gives its
 * UUID.
 */
export async function refusesUnsettled(
  client: LambdaClient,
  verb: 'delete' | 'update',
  change: (UUID: string) => Promise<unknown>,
): Promise<string> {
  await createFunction(client, 'reader');
  const input = { FunctionName: 'reader', EventSourceArn: queueArn('orders') };
  const { UUID = '' } = await client.send(new CreateEventSourceMappingCommand(input));
  await assert.rejects(
    change(UUID),
    refused(
      'ResourceInUseException',
      `Cannot ${verb} the event source mapping because it is in use.`,
    ),
  );
  return UUID;
}

/** A mapping in a state that lasts. */
export async function createSettled(
  client: LambdaClient,
  input: CreateEventSourceMappingCommandInput,
): Promise<EventSourceMappingConfiguration & { readonly UUID: string }> {
  const { UUID = '' } = await client.send(new CreateEventSourceMappingCommand(input));
  return { ...(await untilSettled(client, UUID)), UUID };
}

/** Rejects with ResourceNotFound once the mapping is gone. */
export async function untilSettled(
  client: LambdaClient,
  UUID: string,
): Promise<EventSourceMappingConfiguration> {
  for (let reads = 0; reads < readsMax; reads += 1) {
    const found = membersOf(await client.send(new GetEventSourceMappingCommand({ UUID })));
    if (found.State === 'Enabled' || found.State === 'Disabled') return found;
  }
  throw new Error(`the event source mapping ${UUID} does not settle`);
}
