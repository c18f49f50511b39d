/** DeadLetterConfig: standard queues and topics, kept, given back and cleared. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { createActive, functionInput, untilUpdated, useServer } from './server.ts';

const server = useServer();
const queue = 'arn:aws:sqs:us-east-1:000000000000:dead-letters';
const topic = 'arn:aws:sns:us-east-1:000000000000:dead_letters';

async function update(FunctionName: string, TargetArn: string | undefined) {
  const DeadLetterConfig = { TargetArn };
  const input = { FunctionName, DeadLetterConfig };
  await server.client.send(new UpdateFunctionConfigurationCommand(input));
  await untilUpdated(server.client, FunctionName);
  const found = new GetFunctionConfigurationCommand({ FunctionName });
  return (await server.client.send(found)).DeadLetterConfig;
}

// radkawar/stackd docs/lambda.md: without an ARN nothing changes.
test('a queue and a topic are given back, and cleared by an empty ARN', async () => {
  const name = 'cleared';
  const created = await createActive(server.client, name, {
    DeadLetterConfig: { TargetArn: queue },
  });
  assert.deepEqual(created.DeadLetterConfig, { TargetArn: queue });
  assert.deepEqual(await update(name, topic), { TargetArn: topic });
  assert.equal(await update(name, ''), undefined);
  assert.deepEqual(await update(name, queue), { TargetArn: queue });
  assert.deepEqual(await update(name, undefined), { TargetArn: queue });
});

test('what is no standard queue or topic is refused', async () => {
  const others = [
    `${queue}.fifo`,
    `${topic}.fifo`,
    'arn:aws:s3:::bucket',
    'arn:aws:lambda:us-east-1:000000000000:function:f',
    'arn:aws:sqs:us-east-1:000000000000:',
  ];
  for (const TargetArn of others) {
    const input = functionInput('refused', { DeadLetterConfig: { TargetArn } });
    await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
      name: 'InvalidParameterValueException',
      message: `Invalid dead letter ARN: ${TargetArn} is not the ARN of a standard SQS queue or SNS topic.`,
    });
  }
  const input = functionInput('refused', { DeadLetterConfig: { TargetArn: 'queue' } });
  await assert.rejects(server.client.send(new CreateFunctionCommand(input)), {
    name: 'ValidationException',
  });
});
