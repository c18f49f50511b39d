import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkImageUri, resolvedImage } from './image-uri.ts';

const digest = '0123456789abcdef'.repeat(4);

test('addresses of images have a registry and a name, and may have a tag and a digest', () => {
  const uris = [
    '000000000000.dkr.ecr.us-east-1.amazonaws.com/team/image:1',
    `000000000000.dkr.ecr.us-east-1.amazonaws.com/team/image:1@sha256:${digest}`,
    `localhost:5000/image@sha256:${digest}`,
    'registry/image',
    'public.ecr.aws/lambda/python:3.12',
    'r/a_b/c__d.e-f:V1.0-x',
    `r/${'a'.repeat(1022)}`,
  ];
  for (const uri of uris) checkImageUri(uri);
  const wrong = ['', 'image', 'image:latest', 'r/Image', 'r/a:', 'r/a b', 'r/a@sha256:0', 'r//a'];
  for (const uri of [...wrong, `r/${'a'.repeat(1023)}`]) {
    assert.throws(() => checkImageUri(uri), {
      code: 'InvalidParameterValueException',
      message: `Source image ${uri} is not valid. Provide a valid source image.`,
    });
  }
});

test('an address with a digest means one image, whatever tag it has', () => {
  const resolved = { uri: `registry:5000/team/image@sha256:${digest}`, digest };
  assert.deepEqual(resolvedImage(`registry:5000/team/image@sha256:${digest}`), resolved);
  assert.deepEqual(resolvedImage(`registry:5000/team/image:1@sha256:${digest}`), resolved);
  assert.equal(resolvedImage('registry:5000/team/image:1'), undefined);
  assert.equal(resolvedImage('registry:5000/team/image'), undefined);
});
