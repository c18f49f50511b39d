import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPackage } from './package-rules.ts';

const zip = { Code: { ZipFile: Buffer.from('') }, Runtime: 'nodejs22.x', Handler: 'a.b' } as const;
const uri = '000000000000.dkr.ecr.us-east-1.amazonaws.com/team/image:1';
const image = { PackageType: 'Image', Code: { ImageUri: uri } } as const;
const digest = `@sha256:${'0'.repeat(64)}`;

test('checkPackage accepts archives and images with what belongs to them', () => {
  checkPackage(zip);
  checkPackage({ ...zip, PackageType: 'Zip', Layers: ['arn'], ImageConfig: {} });
  checkPackage({ ...image, ImageConfig: { Command: ['a'] }, Layers: [] });
  const uris = [
    `${uri}${digest}`,
    `localhost:5000/image${digest}`,
    'registry/image',
    'public.ecr.aws/lambda/python:3.12',
    'r/a_b/c__d.e-f:V1.0-x',
  ];
  for (const ImageUri of uris) checkPackage({ ...image, Code: { ImageUri } });
});

type Request = Parameters<typeof checkPackage>[0];
const refusals: readonly [string, Request, string][] = [
  [
    'an archive without a runtime',
    { Code: zip.Code, Handler: zip.Handler },
    'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
  ],
  [
    'an image as an archive',
    { ...zip, Code: image.Code },
    "Please don't provide ImageUri when creating a function with packageType Zip.",
  ],
  [
    'settings of an image for an archive',
    { ...zip, ImageConfig: { Command: [] } },
    "Please don't provide ImageConfig when creating a function with packageType Zip.",
  ],
  [
    'an image with a runtime',
    { ...image, Runtime: 'nodejs22.x' },
    "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
  ],
  [
    'an image with layers',
    { ...image, Layers: ['arn'] },
    "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
  ],
  [
    'an image with SnapStart',
    { ...image, SnapStart: { ApplyOn: 'PublishedVersions' } },
    'ContainerImage is not supported for SnapStart enabled functions.',
  ],
  [
    'an archive as an image',
    { ...image, Code: zip.Code },
    'Please provide ImageUri when creating a function with packageType Image.',
  ],
  [
    'an image and an object',
    { ...image, Code: { ...image.Code, S3Key: 'k' } },
    'Please do not provide other FunctionCode parameters when providing an ImageUri.',
  ],
];

for (const [what, request, message] of refusals) {
  test(`checkPackage refuses ${what}`, () => {
    assert.throws(() => checkPackage(request), { code: 'InvalidParameterValueException', message });
  });
}

test('checkPackage refuses what is no address of an image', () => {
  const wrong = ['', 'image', 'image:latest', 'r/Image', 'r/a:', 'r/a b', 'r/a@sha256:0', 'r//a'];
  for (const ImageUri of [...wrong, `r/${'a'.repeat(1023)}`]) {
    assert.throws(() => checkPackage({ ...image, Code: { ImageUri } }), {
      code: 'InvalidParameterValueException',
      message: `Source image ${ImageUri} is not valid. Provide a valid source image.`,
    });
  }
  checkPackage({ ...image, Code: { ImageUri: `r/${'a'.repeat(1022)}` } });
});
