/**
 * Finds the imports that break the layer table: the checker behind layers.test.ts.
 *
 * It looks at every import that TypeScript's scanner sees: static, `import type`, re-export, dynamic
 * and `require`. It reads texts, not the disk, so that its own tests can hand it tiny trees.
 */
import { posix } from 'node:path';
import ts from 'typescript';
import { type LayerRule, layerTable, testOnlyModule } from './layer-table.ts';

/** Path from the repository's root, with slashes, to the file's text. */
export type SourceTree = ReadonlyMap<string, string>;

export interface ImportEdge {
  readonly from: string;
  readonly specifier: string;
  /** Path from the repository's root; null for a built-in module or an npm package. */
  readonly to: string | null;
}

/** The service model is data that `model` holds in memory: the only import that leaves src/. */
const serviceModel = { importer: 'model', path: /^model\/[^/]+\.json$/ };

/** Folders outside src/ that may import nothing of Hearth's but their own files. */
const independentFolders = ['runtimes', 'console'];

const isTestFile = (path: string): boolean => path.endsWith('.test.ts');

/** Every import of every TypeScript or JavaScript file of the tree, in order. */
export function findImports(tree: SourceTree): ImportEdge[] {
  const edges: ImportEdge[] = [];
  for (const [from, text] of tree) {
    for (const { fileName: specifier } of ts.preProcessFile(text, true, true).importedFiles) {
      const to = specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : null;
      edges.push({ from, specifier, to });
    }
  }
  return edges;
}

/** 'store' for src/store/sqlite/x.ts, 'main.ts' for src/main.ts, null outside src/. */
export function moduleOf(path: string): string | null {
  const [top, second] = path.split('/');
  return top === 'src' && second !== undefined ? second : null;
}

/** Every broken rule as one line that names the file, the import and what to do instead. */
export function checkLayers(tree: SourceTree, packages: readonly string[]): string[] {
  const edges = findImports(tree);
  const problems: string[] = [];
  for (const path of tree.keys()) {
    const name = moduleOf(path);
    if (name !== null && !isKnownModule(name) && !isTestFile(path)) {
      problems.push(`${path}: '${name}' is not in the layer table: put it into a module`);
    }
  }
  for (const edge of edges) {
    const problem = checkEdge(edge, tree, packages);
    if (problem !== null) problems.push(`${edge.from}: import '${edge.specifier}': ${problem}`);
  }
  return [...problems, ...findCycles(edges)];
}

function isKnownModule(name: string): boolean {
  return Object.hasOwn(layerTable, name);
}

function checkEdge(edge: ImportEdge, tree: SourceTree, packages: readonly string[]): string | null {
  const from = moduleOf(edge.from);
  if (from === null) return checkOutsideFile(edge);
  // A test of a top-level file (src/config.test.ts) may see what that file may see.
  const rule = layerTable[from.replace(/\.test\.ts$/, '.ts')];
  if (rule === undefined) return null;
  if (edge.to === null) return checkOutsideImport(edge, rule, packages);
  if (!edge.to.startsWith('src/')) {
    if (from === serviceModel.importer && serviceModel.path.test(edge.to)) return null;
    return 'src/ imports nothing outside src/ (only model reads the service model)';
  }
  if (!tree.has(edge.to)) return `there is no file ${edge.to}: imports carry the .ts extension`;
  return checkInside(edge, from, edge.to, rule);
}

function checkInside(edge: ImportEdge, from: string, to: string, rule: LayerRule): string | null {
  const target = moduleOf(to) ?? '';
  if (isTestFile(to)) return 'nothing imports a test file: move what is shared to src/testing/';
  const privateTo = /^(src\/.+)\/internal\//.exec(to)?.[1];
  if (privateTo !== undefined && !edge.from.startsWith(`${privateTo}/`)) {
    return `${privateTo}/internal/ is private: use what ${privateTo}/ exports`;
  }
  if (target === from.replace(/\.test\.ts$/, '.ts')) return null;
  if (target === testOnlyModule) {
    return isTestFile(edge.from) ? null : 'testing/ is for test files only';
  }
  if (rule.modules.includes(target)) return null;
  const allowed = rule.modules.length === 0 ? 'nothing' : rule.modules.join(', ');
  return `'${from}' may import ${allowed}: pass '${target}' in from main.ts, or write an ADR`;
}

function checkOutsideImport(
  edge: ImportEdge,
  rule: LayerRule,
  packages: readonly string[],
): string | null {
  if (isTestFile(edge.from)) return null;
  if (!rule.outside) return 'model is pure: no built-in modules, no packages';
  if (edge.specifier.startsWith('node:')) return null;
  const name = /^(@[^/]+\/)?[^/]+/.exec(edge.specifier)?.[0] ?? '';
  return packages.includes(name) ? null : `'${name}' is not among package.json's dependencies`;
}

/** runtimes/ and console/ stand alone: they run in other processes, from their own files. */
function checkOutsideFile(edge: ImportEdge): string | null {
  const folder = edge.from.split('/')[0] ?? '';
  if (!independentFolders.includes(folder) || isTestFile(edge.from)) return null;
  if (edge.to === null) {
    const builtIn = edge.specifier.startsWith('node:') || folder === 'console';
    return builtIn ? null : `${folder}/ uses no packages`;
  }
  return edge.to.startsWith(`${folder}/`) ? null : `${folder}/ imports only its own files`;
}

/** Cycles between files (test files excepted, nothing imports them) and between modules. */
export function findCycles(edges: readonly ImportEdge[]): string[] {
  const files = new Map<string, Set<string>>();
  const modules = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    if (to === null || isTestFile(from)) continue;
    link(files, from, to);
    const [fromModule, toModule] = [moduleOf(from), moduleOf(to)];
    if (fromModule !== null && toModule !== null && fromModule !== toModule) {
      link(modules, fromModule, toModule);
    }
  }
  return [
    ...cyclesOf(files).map((cycle) => `files import each other: ${cycle}`),
    ...cyclesOf(modules).map((cycle) => `modules import each other: ${cycle}`),
  ];
}

function link(graph: Map<string, Set<string>>, from: string, to: string): void {
  const targets = graph.get(from) ?? new Set();
  graph.set(from, targets.add(to));
}

/** One line for each edge that closes a cycle in a depth-first walk. */
function cyclesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const start = path.indexOf(node);
    if (start !== -1) {
      cycles.push([...path.slice(start), node].join(' -> '));
      return;
    }
    if (done.has(node)) return;
    path.push(node);
    for (const target of graph.get(node) ?? []) visit(target);
    path.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
