import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountPointsBelow } from './sweep-oci.ts';

test('mountPointsBelow finds the folder and what is below, and nothing with a similar name', () => {
  const info = [
    '42 27 254:0 / /data\\040one/run rw,relatime shared:1 - ext4 /dev/vda rw',
    '43 42 254:0 / /data\\040one/run/boxes/a/tmp rw,relatime - ext4 /dev/loop0 rw',
    '44 27 254:0 / /data\\040one/run-2 rw,relatime - ext4 /dev/vda rw',
    '45 27 254:0 / /other rw,relatime - ext4 /dev/vda rw',
    '',
  ].join('\n');
  const expected = ['/data one/run', '/data one/run/boxes/a/tmp'];
  assert.deepEqual(mountPointsBelow('/data one/run', info), expected);
});
