/**
 * The catalogue of runtimes: which runtime identifiers this host can run, with what interpreter, and
 * why not. Interpreters are found by looking at files only, never by running them.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { offeredRuntimes } from '../model/runtimes.ts';

export type RuntimeLanguage = 'nodejs' | 'python' | 'provided';

export interface InstalledRuntime {
  readonly id: string;
  readonly language: RuntimeLanguage;
  /** As far as files tell it: '24.21.0', '3.11'; '' for provided runtimes. */
  readonly version: string;
  /** Managed runtimes speak the runtime channel, custom ones the HTTP Runtime API. */
  readonly kind: 'managed' | 'custom';
  /** Host folder mounted at /var/lang; null when the interpreter is under /usr, which sandboxes see. */
  readonly languageDir: string | null;
  /**
   * Path relative to `languageDir`, or absolute when that is null. For custom runtimes the name to
   * look for in the task root and then in /opt.
   */
  readonly executable: string;
  /** Host folder mounted at /var/runtime. */
  readonly runtimeDir: string;
  /** Arguments after the executable; '{runtime}' stands for the runtime folder inside the sandbox. */
  readonly bootArguments: readonly string[];
  /** What the process needs before it is bound; '{language}' stands for the language folder. */
  readonly bootEnvironment: Readonly<Record<string, string>>;
}

export type RuntimeAvailability =
  | { readonly available: true; readonly runtime: InstalledRuntime }
  | { readonly available: false; readonly reason: string };

export type RuntimeListing = { readonly id: string } & RuntimeAvailability;

export interface RuntimeCatalog {
  find(runtimeId: string): RuntimeAvailability;
  /** Every runtime of the contract, in its order. */
  list(): readonly RuntimeListing[];
}

export interface RuntimeCatalogOptions {
  /** Folders of PATH, in order. */
  readonly searchPath: readonly string[];
  /** Where pyenv keeps its `versions` folder, if it is installed. */
  readonly pyenvRoot?: string;
  /** The node_modules folder whose node-* packages hold Node.js binaries. */
  readonly packageFolder: string;
  /** The folder of our bootstraps, with one folder for each language. */
  readonly runtimesFolder: string;
}

const UNSUPPORTED = [
  { prefix: 'java', name: 'Java', binary: 'java' },
  { prefix: 'ruby', name: 'Ruby', binary: 'ruby' },
  { prefix: 'dotnet', name: '.NET', binary: 'dotnet' },
] as const;

/** Looks once, when created; a runtime installed later is seen after a restart. */
export function createRuntimeCatalog(options: RuntimeCatalogOptions): RuntimeCatalog {
  const found = new Map<string, RuntimeAvailability>(
    offeredRuntimes.map((id) => [id, lookFor(id, options)]),
  );
  return {
    find: (id) =>
      found.get(id) ?? { available: false, reason: `${id} is not a runtime that Hearth knows` },
    list: () => [...found].map(([id, availability]) => ({ id, ...availability })),
  };
}

function lookFor(id: string, options: RuntimeCatalogOptions): RuntimeAvailability {
  const node = /^nodejs(\d+)\.x$/.exec(id);
  if (node?.[1] !== undefined) return lookForNode(id, Number(node[1]), options);
  const python = /^python(\d+\.\d+)$/.exec(id);
  if (python?.[1] !== undefined) return lookForPython(id, python[1], options);
  if (id.startsWith('provided')) return { available: true, runtime: provided(id, options) };
  return unsupported(id, options);
}

function provided(id: string, options: RuntimeCatalogOptions): InstalledRuntime {
  return {
    id,
    language: 'provided',
    version: '',
    kind: 'custom',
    languageDir: null,
    executable: 'bootstrap',
    runtimeDir: join(options.runtimesFolder, 'provided'),
    bootArguments: [],
    bootEnvironment: {},
  };
}

function unsupported(id: string, options: RuntimeCatalogOptions): RuntimeAvailability {
  const language = UNSUPPORTED.find(({ prefix }) => id.startsWith(prefix));
  const binary = language?.binary ?? id;
  const place = options.searchPath.map((dir) => join(dir, binary)).find(existsSync);
  const looked = place === undefined ? `no ${binary} on the search path` : `found ${place}`;
  return { available: false, reason: `${language?.name ?? id} is not supported yet (${looked})` };
}

// Node.js ------------------------------------------------------------------------------------------

function lookForNode(
  id: string,
  major: number,
  options: RuntimeCatalogOptions,
): RuntimeAvailability {
  const packages = [`node-linux-${process.arch}`, `node-${major}`, `node-${major}-${process.arch}`];
  const candidates = [
    ...packages.map((name) => join(options.packageFolder, name, 'bin/node')),
    ...options.searchPath.map((dir) => join(dir, 'node')),
  ];
  const others = new Set<string>();
  for (const candidate of candidates) {
    const file = binaryFile(candidate);
    if (file === null) continue;
    const prefix = dirname(dirname(file));
    const version = nodeVersion(prefix);
    if (version?.major === major) {
      return { available: true, runtime: nodeRuntime(id, file, prefix, version, options) };
    }
    others.add(version === null ? `${file} of unknown version` : `${version.text} at ${file}`);
  }
  const seen = others.size === 0 ? 'no Node.js found' : `found ${[...others].join(', ')}`;
  const reason = `no Node.js ${major} in the npm package node-${major} or on the search path; ${seen}`;
  return { available: false, reason };
}

interface NodeVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

/** Every Node.js distribution carries its headers, and they carry the version. */
function nodeVersion(prefix: string): NodeVersion | null {
  const header = readText(join(prefix, 'include/node/node_version.h'));
  if (header === null) return null;
  const number = (name: string): number =>
    Number(new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1]);
  const [major, minor, patch] = [number('MAJOR'), number('MINOR'), number('PATCH')];
  return { text: `${major}.${minor}.${patch}`, major, minor };
}

function nodeRuntime(
  id: string,
  file: string,
  prefix: string,
  version: NodeVersion,
  options: RuntimeCatalogOptions,
): InstalledRuntime {
  return {
    id,
    language: 'nodejs',
    version: version.text,
    kind: 'managed',
    ...placed(file, prefix),
    runtimeDir: join(options.runtimesFolder, 'nodejs'),
    bootArguments: [...nodeFlags(version), '{runtime}/bootstrap.cjs'],
    bootEnvironment: {},
  };
}

/** The module features that the managed Node.js 20 and 22 runtimes turn off (developer guide, Node.js). */
function nodeFlags({ major, minor }: NodeVersion): string[] {
  const known = major === 22 || (major === 20 && minor >= 17);
  return known ? ['--no-experimental-require-module', '--no-experimental-detect-module'] : [];
}

// Python -------------------------------------------------------------------------------------------

function lookForPython(
  id: string,
  version: string,
  options: RuntimeCatalogOptions,
): RuntimeAvailability {
  const name = `python${version}`;
  const candidates = [
    ...options.searchPath.map((dir) => join(dir, name)),
    ...pyenvPrefixes(version, options.pyenvRoot).map((prefix) => join(prefix, 'bin', name)),
    join('/usr/bin', name),
  ];
  for (const candidate of candidates) {
    // pyenv's shims are scripts that start whatever version the current folder asks for.
    const file = binaryFile(candidate);
    if (file === null) continue;
    const prefix = dirname(dirname(file));
    // A minimal package may have the binary without the standard library.
    if (!existsSync(join(prefix, 'lib', name, 'json/__init__.py'))) continue;
    return { available: true, runtime: pythonRuntime(id, file, prefix, version, options) };
  }
  return { available: false, reason: `no ${name} on the search path, in pyenv or in /usr/bin` };
}

/** Installed patch versions of `version`, newest first. */
function pyenvPrefixes(version: string, pyenvRoot: string | undefined): string[] {
  if (pyenvRoot === undefined) return [];
  const folder = join(pyenvRoot, 'versions');
  const patches = listFolder(folder)
    .filter(
      (name) => name.startsWith(`${version}.`) && /^\d+$/.test(name.slice(version.length + 1)),
    )
    .map((name) => Number(name.slice(version.length + 1)));
  return patches.sort((a, b) => b - a).map((patch) => join(folder, `${version}.${patch}`));
}

function pythonRuntime(
  id: string,
  file: string,
  prefix: string,
  version: string,
  options: RuntimeCatalogOptions,
): InstalledRuntime {
  const place = placed(file, prefix);
  const header = readText(join(prefix, `include/python${version}/patchlevel.h`)) ?? '';
  // An interpreter built with a shared library looks for it where it was built, not in /var/lang.
  const shared = existsSync(join(prefix, `lib/libpython${version}.so.1.0`));
  return {
    id,
    language: 'python',
    version: /#define PY_VERSION\s+"([\d.]+)/.exec(header)?.[1] ?? version,
    kind: 'managed',
    ...place,
    runtimeDir: join(options.runtimesFolder, 'python'),
    // -S: the bootstrap does itself what the site module would do, in less time.
    bootArguments: ['-S', '{runtime}/bootstrap.py'],
    bootEnvironment:
      shared && place.languageDir !== null ? { LD_LIBRARY_PATH: '{language}/lib' } : {},
  };
}

// Starting -----------------------------------------------------------------------------------------

const NODE_HEAP_SHARE = 0.9;
const NODE_SEMI_SPACE_SHARE = 0.05;

/**
 * Arguments that limit the interpreter's own heap, to go before `bootArguments`. V8 reads its limits
 * only at start, so a process booted before its function's memory was known has none; the sandbox's
 * limit holds either way.
 */
export function memoryArguments(language: RuntimeLanguage, memoryMb: number): readonly string[] {
  if (language !== 'nodejs') return [];
  const heapMb = Math.floor(memoryMb * NODE_HEAP_SHARE);
  const semiSpaceMb = Math.max(1, Math.floor(memoryMb * NODE_SEMI_SPACE_SHARE));
  return [`--max-old-space-size=${heapMb}`, `--max-semi-space-size=${semiSpaceMb}`];
}

/**
 * All arguments of a process started for one function: `memoryArguments` and `bootArguments`, without
 * those that the function's NODE_OPTIONS contradicts (on the command line they would win).
 */
export function startArguments(
  runtime: InstalledRuntime,
  memoryMb: number,
  env: Readonly<Record<string, string>>,
): readonly string[] {
  const options = runtime.language === 'nodejs' ? (env['NODE_OPTIONS'] ?? '') : '';
  const boot = runtime.bootArguments.filter(
    (argument) => !argument.startsWith('--no-') || !options.includes(argument.replace('no-', '')),
  );
  const limited = /--max[-_](old|semi)[-_]space/.test(options);
  return limited ? boot : [...memoryArguments(runtime.language, memoryMb), ...boot];
}

/** Read by any program's start: dynamic linker, allocator, locale. */
const PROCESS_VARIABLES = [
  ...['LD_AUDIT', 'LD_BIND_NOW', 'LD_DEBUG', 'LD_LIBRARY_PATH', 'LD_PRELOAD'],
  ...['GLIBC_TUNABLES', 'MALLOC_\\w+', 'LANG', 'LANGUAGE', 'LC_\\w+'],
  ...['OPENSSL_CONF', 'SSL_CERT_\\w+', 'AWS_LAMBDA_EXEC_WRAPPER'],
];
const NODE_VARIABLES = [
  ...['COMPILE_CACHE', 'DEBUG', 'DEBUG_NATIVE', 'DISABLE_COLORS', 'DISABLE_COMPILE_CACHE'],
  ...['EXTRA_CA_CERTS', 'ICU_DATA', 'NO_WARNINGS', 'OPTIONS', 'PENDING_DEPRECATION'],
  ...['PRESERVE_SYMLINKS', 'PRESERVE_SYMLINKS_MAIN', 'REDIRECT_WARNINGS', 'USE_ENV_PROXY'],
  ...['USE_SYSTEM_CA', 'V8_COVERAGE'],
].map((name) => `NODE_${name}`);

const START_VARIABLES: Readonly<Record<RuntimeLanguage, RegExp>> = {
  nodejs: anyOf([...PROCESS_VARIABLES, ...NODE_VARIABLES, 'UV_\\w+']),
  python: anyOf([...PROCESS_VARIABLES, 'PYTHON(?!PATH$)\\w+']),
  provided: anyOf([]),
};

function anyOf(names: readonly string[]): RegExp {
  return new RegExp(`^(${names.join('|')})$`);
}

/**
 * Whether the function needs a process started with its variables, not one from a pool: they name a
 * wrapper, or its interpreter reads one of them only at start.
 */
export function needsOwnStart(
  language: RuntimeLanguage,
  env: Readonly<Record<string, string>>,
): boolean {
  return Object.keys(env).some((name) => START_VARIABLES[language].test(name));
}

// Files --------------------------------------------------------------------------------------------

/** Everything under /usr is in every sandbox as it is; other places are mounted as a whole. */
function placed(
  file: string,
  prefix: string,
): Pick<InstalledRuntime, 'languageDir' | 'executable'> {
  if (prefix === '/usr' || prefix.startsWith('/usr/')) {
    return { languageDir: null, executable: file };
  }
  return { languageDir: prefix, executable: relative(prefix, file) };
}

const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');

/** The real path of an ELF executable in a `bin` folder, or null when there is none (scripts, shims). */
function binaryFile(path: string): string | null {
  let descriptor: number | null = null;
  try {
    const file = realpathSync(path);
    if (basename(dirname(file)) !== 'bin') return null;
    descriptor = openSync(file, 'r');
    const magic = Buffer.alloc(ELF_MAGIC.length);
    readSync(descriptor, magic);
    return magic.equals(ELF_MAGIC) ? file : null;
  } catch {
    return null;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
