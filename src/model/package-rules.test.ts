import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPackage, checkPackageCode, checkPackageSettings } from './package-rules.ts';

const zip = { Code: { ZipFile: Buffer.from('') }, Runtime: 'nodejs22.x', Handler: 'a.b' } as const;
const uri = '000000000000.dkr.ecr.us-east-1.amazonaws.com/team/image:1';
const image = { PackageType: 'Image', Code: { ImageUri: uri } } as const;

test('checkPackage accepts archives and images with what belongs to them', () => {
  checkPackage(zip);
  checkPackage({ ...zip, PackageType: 'Zip', Layers: ['arn'], ImageConfig: {} });
  checkPackage({ ...image, ImageConfig: { Command: ['a'] }, Layers: [] });
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
  [
    'an image that stays in its bucket',
    { ...image, Code: { ...image.Code, S3ObjectStorageMode: 'REFERENCE' } },
    'Please do not provide other FunctionCode parameters when providing an ImageUri.',
  ],
];

for (const [what, request, message] of refusals) {
  test(`checkPackage refuses ${what}`, () => {
    assert.throws(() => checkPackage(request), { code: 'InvalidParameterValueException', message });
  });
}

test('what a function of one type gets later is of that type', () => {
  checkPackageCode('Zip', zip.Code);
  checkPackageCode('Image', image.Code);
  checkPackageSettings('Zip', {
    Handler: 'a.b',
    Runtime: 'nodejs22.x',
    Layers: ['arn'],
    ImageConfig: {},
  });
  checkPackageSettings('Image', { Layers: [], ImageConfig: { Command: ['a'] } });
  const refused: readonly [() => void, string][] = [
    [
      () => checkPackageCode('Zip', image.Code),
      "Please don't provide ImageUri when updating a function with packageType Zip.",
    ],
    [
      () => checkPackageCode('Image', zip.Code),
      'Please provide ImageUri when updating a function with packageType Image.',
    ],
    [
      () => checkPackageSettings('Zip', { ImageConfig: { Command: ['a'] } }),
      "Please don't provide ImageConfig when updating a function with packageType Zip.",
    ],
    [
      () => checkPackageSettings('Image', { Handler: 'a.b' }),
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    ],
  ];
  for (const [check, message] of refused) {
    assert.throws(check, { code: 'InvalidParameterValueException', message });
  }
});
