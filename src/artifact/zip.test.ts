import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, test } from 'node:test';
import { buildZip, zipOf, type ZipEntrySpec } from '../testing/zip-builder.ts';
import { NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX } from './internal/zip-plan.ts';
import { unpackZip } from './zip.ts';

const MIB = 1024 * 1024;
const limits = { unzippedBytesMax: 8 * MIB };
const root = await mkdtemp(join(tmpdir(), 'hearth-zip-'));
after(() => rm(root, { recursive: true, force: true }));

let count = 0;
const freshFolder = (): string => join(root, String((count += 1)));

/** Unpacks and gives the folder. */
async function unpack(archive: Buffer, zipLimits = limits): Promise<string> {
  const folder = freshFolder();
  await unpackZip(archive, folder, zipLimits);
  return folder;
}

/** Asserts that an archive is refused and that nothing is left of it. */
async function refused(archive: Buffer, code: string, zipLimits = limits): Promise<void> {
  const folder = freshFolder();
  const before = await readdir(root);
  await assert.rejects(unpackZip(archive, folder, zipLimits), { name: 'ZipError', code });
  assert.deepEqual(await readdir(root), before);
}

test('unpackZip writes files, folders and sizes', async () => {
  const archive = buildZip([
    { name: 'index.js', content: 'exports.handler = 1' },
    { name: 'lib/', mode: 0o040755 },
    { name: 'lib/deep/er/a.txt', content: 'a', stored: true },
    { name: './dot/./b.txt', content: 'b' },
    { name: 'empty.txt' },
    { name: './', mode: 0o040755 },
  ]);
  const folder = freshFolder();
  assert.deepEqual(await unpackZip(archive, folder, limits), { unzippedBytes: 21, entries: 6 });
  assert.equal(await readFile(join(folder, 'index.js'), 'utf8'), 'exports.handler = 1');
  assert.equal(await readFile(join(folder, 'lib/deep/er/a.txt'), 'utf8'), 'a');
  assert.equal(await readFile(join(folder, 'dot/b.txt'), 'utf8'), 'b');
  assert.equal(await readFile(join(folder, 'empty.txt'), 'utf8'), '');
  assert.deepEqual((await readdir(folder)).sort(), ['dot', 'empty.txt', 'index.js', 'lib']);
});

test('unpackZip reads entries of every size the same', async () => {
  const sizes = [1, 32 * 1024, 32 * 1024 + 1, 2 * MIB, 2 * MIB + 1, 3 * MIB];
  for (const stored of [false, true]) {
    const contents = sizes.map((size) =>
      Buffer.concat([randomBytes(size / 2), Buffer.alloc(size)]),
    );
    const specs = contents.map((content, index) => ({ name: `${index}`, content, stored }));
    const folder = await unpack(buildZip(specs), { unzippedBytesMax: 64 * MIB });
    for (const [index, content] of contents.entries()) {
      assert.ok(
        (await readFile(join(folder, String(index)))).equals(content),
        `size ${content.length}`,
      );
    }
  }
});

test('unpackZip reads zip64 archives', async () => {
  const folder = await unpack(buildZip([{ name: 'a', content: 'zip64', zip64: true }]));
  assert.equal(await readFile(join(folder, 'a'), 'utf8'), 'zip64');
});

test('unpackZip makes files readable by all, keeps the right to execute, drops everything else', async () => {
  const folder = await unpack(
    buildZip([
      { name: 'private.py', content: 'x', mode: 0o100600 },
      { name: 'none', content: 'x', mode: 0o100000 },
      { name: 'bootstrap', content: 'x', mode: 0o100700 },
      { name: 'suid', content: 'x', mode: 0o104777 },
      { name: 'dos', content: 'x', mode: 0, host: 0 },
      { name: 'closed/', mode: 0o040700 },
    ]),
  );
  const modeOf = async (name: string): Promise<number> =>
    (await stat(join(folder, name))).mode & 0o7777;
  assert.equal(await modeOf('private.py'), 0o444);
  assert.equal(await modeOf('none'), 0o444);
  assert.equal(await modeOf('bootstrap'), 0o555);
  assert.equal(await modeOf('suid'), 0o555);
  assert.equal(await modeOf('dos'), 0o444);
  assert.equal(await modeOf('closed'), 0o755);
  assert.equal(await modeOf('.'), 0o755);
});

test('unpackZip gives the same modes under a strict umask', async (t) => {
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  const folder = await unpack(zipOf({ 'a/b.js': 'x' }));
  process.umask(before);
  assert.equal((await stat(folder)).mode & 0o777, 0o755);
  assert.equal((await stat(join(folder, 'a'))).mode & 0o777, 0o755);
  assert.equal((await stat(join(folder, 'a/b.js'))).mode & 0o777, 0o444);
});

test('unpackZip reads names that are UTF-8 without saying so', async () => {
  const folder = await unpack(buildZip([{ name: 'größe-日本.txt', content: 'x', flags: 0 }]));
  assert.deepEqual(await readdir(folder), ['größe-日本.txt']);
});

test('unpackZip keeps the last content of a file named twice', async () => {
  const folder = await unpack(
    buildZip([
      { name: 'a', content: 'first' },
      { name: './a', content: 'last' },
    ]),
  );
  assert.equal(await readFile(join(folder, 'a'), 'utf8'), 'last');
});

test('unpackZip takes backslashes for slashes', async () => {
  const folder = await unpack(buildZip([{ name: 'lib\\a.txt', content: 'x' }]));
  assert.equal(await readFile(join(folder, 'lib/a.txt'), 'utf8'), 'x');
});

const link = (name: string, target: string): ZipEntrySpec => ({
  name,
  content: target,
  mode: 0o120777,
});

test('unpackZip keeps links that stay inside, whatever their order', async () => {
  const folder = await unpack(
    buildZip([
      link('bin/tool', '../lib/tool.js'),
      link('current', 'lib'),
      link('chain', 'current/tool.js'),
      link('missing', 'lib/later'),
      { name: 'lib/tool.js', content: 'tool' },
    ]),
  );
  assert.equal(await readlink(join(folder, 'bin/tool')), '../lib/tool.js');
  assert.equal(await readFile(join(folder, 'chain'), 'utf8'), 'tool');
  assert.equal(await readlink(join(folder, 'missing')), 'lib/later');
});

const unsafe: Readonly<Record<string, readonly ZipEntrySpec[]>> = {
  'a name that climbs out': [{ name: '../evil' }],
  'a name that climbs out in the middle': [{ name: 'a/../../evil' }],
  'a name that climbs and comes back': [{ name: 'a/../b' }],
  'an absolute name': [{ name: '/etc/evil' }],
  'an absolute Windows name': [{ name: 'C:\\evil' }],
  'a name that climbs out with backslashes': [{ name: '..\\evil' }],
  'an absolute name with backslashes': [{ name: '\\\\host\\share' }],
  'a name with a NUL': [{ name: 'a\0b' }],
  'no name': [{ name: '' }],
  'only a dot as a file': [{ name: '.' }],
  'a name that is too long': [{ name: 'x'.repeat(NAME_BYTES_MAX + 1) }],
  'a path that is too long': [
    { name: `${'x'.repeat(99)}/`.repeat(PATH_BYTES_MAX / 100 + 1) + 'x' },
  ],
  'a path that is too deep': [{ name: 'd/'.repeat(PATH_DEPTH_MAX) + 'x' }],
  'a link that is absolute': [link('a', '/etc/passwd')],
  'a link into /proc': [link('a', '/proc/self/root')],
  'a link that leads out': [link('a', '../x')],
  'a link that leads out from below': [link('a/b', '../../x')],
  'a link that leads out through another': [link('a/b/c', '../..'), link('d', 'a/b/c/../x')],
  'links in a circle': [link('a', 'b'), link('b', 'a')],
  'a link to itself': [link('a', 'a/x')],
  'a link without a target': [link('a', '')],
  'a link with a NUL': [link('a', 'b\0c')],
  'a link with a very long target': [link('a', 'x/'.repeat(PATH_BYTES_MAX))],
  'an entry through a link': [link('a', 'b'), { name: 'b/', mode: 0o040755 }, { name: 'a/evil' }],
  'a link where a folder is': [{ name: 'a/b' }, link('a', 'c')],
  'a link where a file is': [{ name: 'a' }, link('a', 'b')],
  'a file where a link is': [link('a', 'b'), { name: 'a' }],
  'a file below a file': [{ name: 'a' }, { name: 'a/b' }],
  'a file where a folder is': [{ name: 'a/b' }, { name: 'a' }],
  'a device': [{ name: 'dev', mode: 0o020666 }],
  'a block device': [{ name: 'dev', mode: 0o060666 }],
  'a pipe': [{ name: 'pipe', mode: 0o010666 }],
  'a socket': [{ name: 'socket', mode: 0o140666 }],
};

for (const [what, specs] of Object.entries(unsafe)) {
  test(`unpackZip refuses ${what}`, async () => {
    await refused(buildZip([{ name: 'index.js', content: 'x' }, ...specs]), 'unsafe');
  });
}

const corrupt: Readonly<Record<string, Buffer>> = {
  'what is no archive': Buffer.from('this is not a zip'),
  'an archive cut short': zipOf({ a: 'x'.repeat(1000) }).subarray(0, 60),
  'a wrong checksum': buildZip([{ name: 'a', content: 'x', declaredCrc: 1 }]),
  'less content than declared': buildZip([{ name: 'a', content: 'x', declaredBytes: 2 }]),
  'more content than declared': buildZip([{ name: 'a', content: 'xxx', declaredBytes: 2 }]),
  'much more content than declared': buildZip([
    { name: 'a', content: Buffer.alloc(4 * MIB), declaredBytes: 2 },
  ]),
  'more content than declared in a large entry': buildZip([
    { name: 'a', content: Buffer.alloc(6 * MIB), declaredBytes: 3 * MIB },
  ]),
  'an encrypted entry': buildZip([{ name: 'a', content: 'x', flags: 0x801 }]),
  'an unknown compression method': buildZip([{ name: 'a', content: 'x', method: 99 }]),
  'a folder with content': buildZip([{ name: 'a/', content: 'x' }]),
  'fewer entries than declared': buildZip([{ name: 'a' }], { declaredEntries: 3 }),
};

for (const [what, archive] of Object.entries(corrupt)) {
  test(`unpackZip refuses ${what}`, async () => {
    await refused(archive, 'corrupt');
  });
}

test('unpackZip refuses damaged content wherever it is', async () => {
  const archive = zipOf({ a: randomBytes(3 * MIB), b: randomBytes(100_000), c: 'small content' });
  for (const at of [MIB, 3 * MIB + 50_000]) {
    const damaged = Buffer.from(archive);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0xff, at);
    await refused(damaged, 'corrupt');
  }
});

test('unpackZip refuses an archive without entries or without bytes', async () => {
  await refused(buildZip([]), 'empty');
  await refused(Buffer.alloc(0), 'empty');
});

test('unpackZip counts bytes up to the limit, by what entries declare', async () => {
  const archive = zipOf({ a: Buffer.alloc(MIB), b: Buffer.alloc(MIB) });
  await unpack(archive, { unzippedBytesMax: 2 * MIB });
  await refused(archive, 'too-large', { unzippedBytesMax: 2 * MIB - 1 });
  // A bomb: far more than there is, said openly.
  await refused(buildZip([{ name: 'a', content: 'x', declaredBytes: 2 ** 31 }]), 'too-large');
});

test('unpackZip counts files and folders, also those only named in paths', async () => {
  const archive = zipOf({ 'a/b/c': 'x', d: 'x' });
  await unpack(archive, { ...limits, entriesMax: 4 } as typeof limits);
  await refused(archive, 'too-many-entries', { ...limits, entriesMax: 3 } as typeof limits);
});

test('unpackZip removes the folder when it fails half-way', async () => {
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f/${index}`, 'x']));
  const specs = Object.entries(files).map(([name, content]) => ({ name, content }));
  await refused(buildZip([...specs, { name: 'z', content: 'x', declaredCrc: 7 }]), 'corrupt');
});

test('unpackZip never writes into a folder that is there already', async () => {
  const folder = await unpack(zipOf({ a: 'mine' }));
  await assert.rejects(unpackZip(zipOf({ a: 'other' }), folder, limits), { code: 'EEXIST' });
  assert.equal(await readFile(join(folder, 'a'), 'utf8'), 'mine');
});

test('unpackZip leaves the event loop free', async () => {
  const archive = buildZip([
    { name: 'large.bin', content: Buffer.alloc(100 * MIB, 'abc'.repeat(50)) },
    { name: 'random.bin', content: randomBytes(30 * MIB), stored: true },
  ]);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await unpack(archive, { unzippedBytesMax: 250 * MIB });
  delay.disable();
  // Aimed at 20 ms; room for a machine that is busy with other things.
  assert.ok(delay.percentile(99) < 50e6, `99th percentile ${delay.percentile(99) / 1e6} ms`);
});
