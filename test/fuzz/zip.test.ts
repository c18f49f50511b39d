/**
 * Whatever archive is unpacked: either it fails with a ZipError and nothing is left, or everything
 * written lies below the folder, within the limits, and every link stays inside. Archives are built
 * from hostile names and links, or are valid ones with some bytes changed.
 *
 * The canary at the end shows that the check would notice: it runs it on a folder with a bad link.
 */
import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { unpackZip } from '../../src/artifact/zip.ts';
import { isZipError } from '../../src/artifact/zip-error.ts';
import { buildZip, type ZipEntrySpec } from '../../src/testing/zip-builder.ts';

const budgetMs = 4_000;
const limits = { unzippedBytesMax: 100_000, entriesMax: 60 };

let root = '';
let count = 0;

before(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'hearth-fuzz-zip-')));
});

after(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

interface Found {
  readonly entries: number;
  readonly bytes: number;
}

/** Everything below `folder`, with every link's end inside `top`. Links are not walked through. */
async function inspect(folder: string, top = folder): Promise<Found> {
  let entries = 0;
  let bytes = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await lstat(path);
    entries += 1;
    if (info.isSymbolicLink()) {
      await assertInside(top, path);
      continue;
    }
    assert.equal(info.mode & 0o7022, 0, `${name} has a bad mode`);
    if (info.isFile()) bytes += info.size;
    else {
      assert.ok(info.isDirectory(), `${name} is neither a file, a folder nor a link`);
      const below = await inspect(path, top);
      entries += below.entries;
      bytes += below.bytes;
    }
  }
  return { entries, bytes };
}

/** A link may end nowhere; one that goes in circles was to be refused. */
async function assertInside(folder: string, link: string): Promise<void> {
  try {
    const end = await realpath(link);
    assert.ok(end === folder || end.startsWith(folder + sep), `${link} leads to ${end}`);
  } catch (error) {
    const { code } = error as { code?: string };
    assert.match(code ?? '', /^(ENOENT|ENOTDIR|ENAMETOOLONG)$/, `${link}: ${String(error)}`);
  }
}

async function unpackAndCheck(archive: Buffer): Promise<'unpacked' | 'refused'> {
  // A folder of its own: a run that the time limit cuts off may still be at work beside this one.
  const parent = join(root, String((count += 1)));
  await mkdir(parent);
  const folder = join(parent, 'tree');
  try {
    const { unzippedBytes } = await unpackZip(archive, folder, limits);
    assert.ok(unzippedBytes <= limits.unzippedBytesMax);
    const found = await inspect(folder);
    assert.ok(found.bytes <= unzippedBytes && found.entries <= limits.entriesMax);
    assert.deepEqual(await readdir(parent), ['tree']);
    return 'unpacked';
  } catch (error) {
    if (!isZipError(error)) throw error;
    assert.deepEqual(await readdir(parent), []);
    return 'refused';
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

const segment = fc.constantFrom('a', 'b', 'c', 'd', '..', '.', '', 'é', '\\', 'a\\b', '\0', 'C:');
const plainSegment = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc
  .tuple(
    fc.boolean(),
    fc.oneof(
      { weight: 3, arbitrary: fc.array(plainSegment, { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: fc.array(segment, { maxLength: 5 }) },
    ),
  )
  .map(([isFolder, segments]) => segments.join('/') + (isFolder && segments.length > 1 ? '/' : ''));
const target = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', '..', '.'), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'));
const linkEntry: fc.Arbitrary<ZipEntrySpec> = fc
  .record({ name: path, content: fc.oneof(target, path) })
  .map((entry) => ({ ...entry, mode: 0o120777 }));
const fileEntry: fc.Arbitrary<ZipEntrySpec> = fc.record(
  {
    name: path,
    content: fc.oneof(fc.string(), fc.constant('x'.repeat(40_000))),
    mode: fc.constantFrom(0o100644, 0o104777, 0o100000, 0, 0o40755, 0o10644),
    stored: fc.boolean(),
    host: fc.constantFrom(3, 0, 19),
    zip64: fc.boolean(),
    flags: fc.constantFrom(0, 0x800),
  },
  { requiredKeys: ['name'] },
);
const plainEntry: fc.Arbitrary<ZipEntrySpec> = fc.record({ name: path, content: fc.string() });
const entries = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: plainEntry },
    { weight: 1, arbitrary: fileEntry },
    { weight: 2, arbitrary: linkEntry },
  ),
  { maxLength: 8 },
);

test('unpackZip with hostile names, links and modes stays inside or leaves nothing', async () => {
  const outcomes = { unpacked: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(entries, async (specs) => {
      outcomes[await unpackAndCheck(buildZip(specs))] += 1;
    }),
    { numRuns: 2_000, interruptAfterTimeLimit: budgetMs },
  );
  // Either way has to be well tried.
  assert.ok(outcomes.unpacked > 10 && outcomes.refused > 10, JSON.stringify(outcomes));
});

test('unpackZip with some bytes changed is right or refuses', async () => {
  const whole = buildZip([
    { name: 'index.js', content: 'exports.handler = async () => 1;'.repeat(20) },
    { name: 'lib/', mode: 0o40755 },
    { name: 'lib/a.txt', content: 'stored', stored: true },
    { name: 'lib/link', content: '../index.js', mode: 0o120777 },
    { name: 'big', content: 'x'.repeat(40_000), zip64: true },
  ]);
  const change = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const archive = Buffer.from(whole);
      for (const { at, value } of changes) archive.writeUInt8(value, at);
      await unpackAndCheck(archive);
    }),
    { numRuns: 2_000, interruptAfterTimeLimit: budgetMs },
  );
});

test('unpackZip with an archive cut off or with junk around it is right or refuses', async () => {
  const whole = buildZip([{ name: 'index.js', content: 'x'.repeat(1_000) }, { name: 'a/b' }]);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), fc.uint8Array({ maxLength: 60 }), async (at, junk) => {
      await unpackAndCheck(whole.subarray(0, at));
      await unpackAndCheck(Buffer.concat([whole, junk]));
      await unpackAndCheck(Buffer.concat([junk, whole]));
    }),
    { numRuns: 300, interruptAfterTimeLimit: budgetMs },
  );
});

test('canary: the check of this test sees a link that leads out', async () => {
  const folder = resolve(root, 'canary');
  await mkdir(folder);
  await symlink('../..', join(folder, 'out'));
  await assert.rejects(inspect(folder), /leads to/);
  await rm(folder, { recursive: true });
});
