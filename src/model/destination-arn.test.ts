/** ARNs of destinations, by kind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationKindOf, isFifo, parseDestinationArn } from './destination-arn.ts';

const place = { region: 'us-east-1', accountId: '123456789012' };

test('the five kinds are told apart and taken apart', () => {
  for (const [arn, kind, resource] of [
    ['arn:aws:sqs:us-east-1:123456789012:queue', 'sqs', 'queue'],
    ['arn:aws:sns:us-east-1:123456789012:topic', 'sns', 'topic'],
    ['arn:aws:lambda:us-east-1:123456789012:function:name', 'lambda', 'name'],
    ['arn:aws:lambda:us-east-1:123456789012:function:name:live', 'lambda', 'name:live'],
    ['arn:aws:lambda:us-east-1:123456789012:function:name:$LATEST', 'lambda', 'name:$LATEST'],
    ['arn:aws:events:us-east-1:123456789012:event-bus/default', 'events', 'default'],
  ]) {
    assert.equal(destinationKindOf(arn ?? ''), kind);
    assert.deepEqual(parseDestinationArn(arn ?? ''), { kind, ...place, resource });
  }
  const bucket = { kind: 's3', region: '', accountId: '', resource: 'my.bucket-1' };
  assert.deepEqual(parseDestinationArn('arn:aws:s3:::my.bucket-1'), bucket);
  const china = parseDestinationArn('arn:aws-cn:sqs:cn-north-1:123456789012:queue');
  assert.equal(china?.region, 'cn-north-1');
});

test('other services are no destinations, and ARNs that miss a part are none either', () => {
  for (const arn of [
    '',
    'kafka://topic',
    'arn:aws:dynamodb:us-east-1:123456789012:table/t',
    'arn:aws:constructor:us-east-1:123456789012:x',
    'https://sqs.us-east-1.amazonaws.com/123456789012/queue',
  ]) {
    assert.equal(destinationKindOf(arn), undefined);
    assert.equal(parseDestinationArn(arn), undefined);
  }
  for (const arn of [
    'arn:aws:sqs:us-east-1:123456789012:',
    'arn:aws:sqs:us-east-1::queue',
    'arn:aws:sns:us-east-1:123456789012:topic:subscription',
    'arn:aws:lambda:us-east-1:123456789012:layer:name:1',
    'arn:aws:lambda:us-east-1:123456789012:function:name:live:1',
    'arn:aws:events:us-east-1:123456789012:rule/name',
    'arn:aws:events:us-east-1:123456789012:event-bus/aws.partner/example.com/1',
    'arn:aws:s3:us-east-1:123456789012:bucket',
    'arn:aws:s3:::bucket/key',
    'arn:aws:s3:::',
  ]) {
    assert.notEqual(destinationKindOf(arn), undefined, arn);
    assert.equal(parseDestinationArn(arn), undefined, arn);
  }
});

test('FIFO queues and topics are known by their names', () => {
  for (const service of ['sqs', 'sns']) {
    const arn = `arn:aws:${service}:us-east-1:123456789012:orders`;
    const [fifo, standard] = [parseDestinationArn(`${arn}.fifo`), parseDestinationArn(arn)];
    assert.equal(fifo && isFifo(fifo), true);
    assert.equal(standard && isFifo(standard), false);
  }
});
