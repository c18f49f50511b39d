/**
 * The house rules (STYLE.md) that a machine can check: the checker behind tidy.test.ts.
 *
 * A rule takes one file, or the whole repository, and gives one line per fault, each naming the fix.
 * Rules about code walk TypeScript's syntax tree, so words in comments and strings do not count.
 */
import { posix } from 'node:path';
import ts from 'typescript';

export interface SourceFile {
  /** Path from the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Faults of one file, each 'PATH[:LINE]: what is wrong: what to do'. */
export type FileRule = (file: SourceFile) => string[];

const isTest = (path: string): boolean => path.endsWith('.test.ts');
const isSource = (path: string): boolean =>
  path.startsWith('src/') && path.endsWith('.ts') && !isTest(path) && !path.includes('/generated/');

interface Ban {
  /** What is banned, as it is called in the message. */
  readonly name: string;
  /** Files where it is allowed. */
  readonly allowed: RegExp;
  readonly instead: string;
  readonly matches: (node: ts.Node) => boolean;
}

const clock = { allowed: /^src\/base\/clock\.ts$/, instead: 'take a Clock (src/base/clock.ts)' };
const random = {
  allowed: /^src\/base\/random\.ts$/,
  instead: 'take a Random (src/base/random.ts)',
};
const output = {
  allowed: /^src\/(base\/log|cli)\.ts$/,
  instead: 'take a Log (src/base/log.ts); only cli.ts prints',
};
const environment = {
  allowed: /^src\/config\.ts$/,
  instead: 'take it from Config (src/config.ts)',
};
const children = {
  allowed: /^src\/sandbox\/[^/]+\//,
  instead: 'start processes through a sandbox driver (src/sandbox/*/)',
};

const bans: readonly Ban[] = [
  { name: 'Date.now()', ...clock, matches: isMember('Date', ['now']) },
  { name: 'new Date() without a value', ...clock, matches: isDateOfNow },
  { name: 'performance', ...clock, matches: isMember('performance', ['now', 'timeOrigin']) },
  { name: 'process.hrtime', ...clock, matches: isMember('process', ['hrtime', 'uptime']) },
  { name: 'a timer', ...clock, matches: isGlobalCall(['setTimeout', 'setInterval']) },
  { name: 'AbortSignal.timeout', ...clock, matches: isMember('AbortSignal', ['timeout']) },
  { name: 'node:timers', ...clock, matches: isImportOf(/^node:timers/) },
  { name: 'node:perf_hooks', ...clock, matches: isImportOf(/^node:perf_hooks$/, ['performance']) },
  { name: 'Math.random()', ...random, matches: isMember('Math', ['random']) },
  { name: 'a random function of node:crypto', ...random, matches: isRandomCrypto },
  { name: 'process.env', ...environment, matches: isMember('process', ['env']) },
  { name: 'env of node:process', ...environment, matches: isImportOf(/^node:process$/, ['env']) },
  { name: 'node:child_process', ...children, matches: isImportOf(/^node:child_process$/) },
  { name: 'console', ...output, matches: isConsole },
  { name: 'process.stdout', ...output, matches: isMember('process', ['stdout', 'stderr']) },
];

function isMember(object: string, members: readonly string[]): (node: ts.Node) => boolean {
  return (node) => {
    if (ts.isPropertyAccessExpression(node)) {
      return nameOf(node.expression) === object && members.includes(node.name.text);
    }
    // const { env } = process
    if (!ts.isVariableDeclaration(node) || !ts.isObjectBindingPattern(node.name)) return false;
    if (node.initializer === undefined || nameOf(node.initializer) !== object) return false;
    return node.name.elements.some((one) => members.includes(nameOf(one.propertyName ?? one.name)));
  };
}

/** The identifier, also when it is reached through globalThis; '' for any other expression. */
function nameOf(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text;
  const isGlobal = ts.isPropertyAccessExpression(node) && nameOf(node.expression) === 'globalThis';
  return isGlobal ? node.name.text : '';
}

function isDateOfNow(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) {
    return nameOf(node.expression) === 'Date' && (node.arguments ?? []).length === 0;
  }
  return ts.isCallExpression(node) && nameOf(node.expression) === 'Date';
}

function isGlobalCall(names: readonly string[]): (node: ts.Node) => boolean {
  return (node) => ts.isCallExpression(node) && names.includes(nameOf(node.expression));
}

/** An import or re-export of the module; with `names`, only when it takes one of them, or all. */
function isImportOf(module: RegExp, names?: readonly string[]): (node: ts.Node) => boolean {
  return (node) => {
    const specifier = moduleSpecifierOf(node);
    if (specifier === null || !module.test(specifier)) return false;
    return names === undefined || importedNames(node).some((one) => names.includes(one));
  };
}

function moduleSpecifierOf(node: ts.Node): string | null {
  const isStatic = ts.isImportDeclaration(node) || ts.isExportDeclaration(node);
  const isDynamic =
    ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const specifier = isStatic ? node.moduleSpecifier : isDynamic ? node.arguments[0] : undefined;
  if (isStatic && isTypeOnly(node)) return null;
  return specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : null;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

/** Names that an import takes; a whole module counts as each of the names that matter. */
function importedNames(node: ts.Node): string[] {
  const everything = ['env', 'performance', ...randomNames];
  if (!ts.isImportDeclaration(node)) return everything;
  const bindings = node.importClause?.namedBindings;
  if (node.importClause?.name !== undefined) return everything;
  if (bindings === undefined || ts.isNamespaceImport(bindings)) return everything;
  return bindings.elements.map((element) => nameOf(element.propertyName ?? element.name));
}

const randomNames = [
  'getRandomValues',
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'webcrypto',
];

/** Named imports, or a member of whatever name the whole module was given. */
function isRandomCrypto(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node) && nameOf(node.expression) === 'crypto') {
    return randomNames.includes(node.name.text);
  }
  if (!ts.isImportDeclaration(node)) return false;
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return isImportOf(/^node:crypto$/, randomNames)(node);
}

function isConsole(node: ts.Node): boolean {
  return ts.isPropertyAccessExpression(node) && nameOf(node.expression) === 'console';
}

/** Calls that would make the platform depend on the machine outside the files that own them. */
export const checkBans: FileRule = ({ path, text }) => {
  if (!isSource(path)) return [];
  const faults: string[] = [];
  eachNode(path, text, (node, line) => {
    for (const ban of bans) {
      if (ban.allowed.test(path) || !ban.matches(node)) continue;
      faults.push(`${path}:${line}: ${ban.name} is banned here: ${ban.instead}`);
    }
  });
  return faults;
};

/** A computed import hides an edge from the layer test. */
export const checkDynamicImports: FileRule = ({ path, text }) => {
  if (!isSource(path)) return [];
  const faults: string[] = [];
  eachNode(path, text, (node, line) => {
    if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return;
    const [specifier] = node.arguments;
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) return;
    faults.push(`${path}:${line}: computed import(): name the file in a string`);
  });
  return faults;
};

function eachNode(path: string, text: string, visit: (node: ts.Node, line: number) => void): void {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false);
  const walk = (node: ts.Node): void => {
    visit(node, file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1);
    ts.forEachChild(node, walk);
  };
  walk(file);
}

/** A source file opens with a comment that says what it is for. */
export const checkHeader: FileRule = ({ path, text }) => {
  if (!isSource(path)) return [];
  if (/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(text)) return [];
  return [`${path}: no header: open the file with two to five lines on its purpose and role`];
};

/** House names: kebab-case, no folders by kind, no barrels, no source in the root. */
export const checkNames: FileRule = ({ path }) => {
  const faults: string[] = [];
  const name = posix.basename(path);
  const isCode = /\.[cm]?[jt]s$/.test(path);
  if (/^(src|test|tools)\//.test(path) && isCode && !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name)) {
    faults.push(`${path}: file names are kebab-case, after the main export`);
  }
  if (/^src\/(.*\/)?(utils?|helpers?|types|common|shared|lib)(\/|\.ts$)/.test(path)) {
    faults.push(`${path}: no folders or files by kind: name it after what it is`);
  }
  if (/^src\/(.*\/)?index\.ts$/.test(path)) {
    faults.push(`${path}: no barrels: import the file that owns the name`);
  }
  if (isCode && !path.includes('/') && !/\.config\.[cm]?[jt]s$/.test(path)) {
    faults.push(`${path}: no source in the root: put it into src/, tools/ or test/`);
  }
  return faults;
};

const markers: readonly (readonly [RegExp, string])[] = [
  [/\b(FIX[M]E|HAC[K]|XX[X])\b/, 'a note of unfinished work: finish it, or file an issue'],
  [/\bTOD[O]\b(?!\()/, 'a note of unfinished work: finish it, or file an issue'],
  [/^(<{7}|>{7}|={7})( |$)/, 'a conflict marker: resolve the merge'],
  [/\b(test|describe|it|suite)\.onl[y]\(|\bonl[y]: true/, 'a test singled out: run them all'],
  [/^\s*debugge[r];/, 'a breakpoint: remove it'],
  [/@ts-ignor[e]|@ts-nochec[k]/, 'a silenced type error: use @ts-expect-error with a reason'],
  [/@ts-expect-error\s*$/, 'a silenced type error without a reason: say why after it'],
  [/eslint-disable(?!.* -- \S)/, "a silenced lint rule without a reason: say why after ' -- '"],
];

/** Marks of unfinished work and silenced checks. */
export const checkMarkers: FileRule = ({ path, text }) => {
  if (!isOurText(path)) return [];
  return matchLines(path, text, markers);
};

const machinePaths: readonly (readonly [RegExp, string])[] = [
  [
    /(?<![\w.~/-])\/(work|root|home\/[a-z][\w-]*|Users\/\w+)\/[\w.]/,
    'a path of one machine: take it from a setting, or make a temporary folder',
  ],
  [/file:\/\/\/(work|root|home)\b/, 'a path of one machine: use a relative one'],
];
const registryHosts: readonly (readonly [RegExp, string])[] = [
  [
    /\b(registry\.[a-z0-9-]+\.[a-z]+|npmjs\.(org|com)|pypi\.org|pythonhosted\.org|crates\.io)\b/,
    "a registry's host: every user has their own, name the package only",
  ],
  [/"resolve[d]":/, 'a download address in the lockfile: keep omit-lockfile-registry-resolved'],
  [/^\s*(@\S+:)?registry\s*=/, "a registry's host: every user has their own"],
];

/** What is true on one machine only has no place in the repository. */
export const checkMachine: FileRule = ({ path, text }) => {
  if (!isOurText(path) && path !== 'package-lock.json' && path !== '.npmrc') return [];
  return matchLines(path, text, [...machinePaths, ...registryHosts]);
};

/** Written by us: not the licence, the service model, or what a tool wrote. */
function isOurText(path: string): boolean {
  return path !== 'LICENSE' && path !== 'package-lock.json' && !path.startsWith('model/');
}

function matchLines(
  path: string,
  text: string,
  patterns: readonly (readonly [RegExp, string])[],
): string[] {
  return text.split('\n').flatMap((line, index) => {
    const found = patterns.filter(([pattern]) => pattern.test(line));
    return found.map(([, fix]) => `${path}:${index + 1}: ${fix}`);
  });
}

export const checkNotEmpty: FileRule = ({ path, text }) =>
  text.trim() === '' ? [`${path}: an empty file: fill it or remove it`] : [];

export const fileRules: readonly FileRule[] = [
  checkBans,
  checkDynamicImports,
  checkHeader,
  checkNames,
  checkMarkers,
  checkMachine,
  checkNotEmpty,
];

/** Links of a Markdown file to files of the repository, and to headings, that lead nowhere. */
export function checkLinks(file: SourceFile, files: ReadonlyMap<string, string>): string[] {
  const prose = file.text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(
    (match) => match[1] ?? '',
  );
  return links.flatMap((link) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [target = '', anchor] = decodeURI(link).split('#');
    const path = target === '' ? file.path : posix.join(posix.dirname(file.path), target);
    const folder = `${path.replace(/\/$/, '')}/`;
    const text = files.get(path);
    if (text === undefined && ![...files.keys()].some((one) => one.startsWith(folder))) {
      return [`${file.path}: the link ${link} leads nowhere: there is no ${path}`];
    }
    if (anchor === undefined || !path.endsWith('.md')) return [];
    if (headingAnchors(text ?? '').includes(anchor)) return [];
    return [`${file.path}: the link ${link} leads nowhere: ${path} has no such heading`];
  });
}

function headingAnchors(text: string): string[] {
  const headings = text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ +(.+?) *$/gm);
  return [...headings].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const adrPath = /^docs\/adr\/(\d{4})-[a-z0-9-]+\.md$/;
const adrSections = ['Context', 'Decision', 'Consequences'];

/** Numbers without gaps or repeats, the template's sections, and citations that exist. */
export function checkDecisionRecords(files: ReadonlyMap<string, string>): string[] {
  const faults: string[] = [];
  const inFolder = [...files.keys()].filter((path) => /^docs\/adr\/.+\.md$/.test(path));
  const records = inFolder.filter((path) => path !== 'docs/adr/README.md').sort();
  records.forEach((path, index) => {
    const expected = String(index + 1).padStart(4, '0');
    const number = adrPath.exec(path)?.[1];
    if (number !== expected) {
      faults.push(`${path}: expected number ${expected}: number records without gaps or repeats`);
    }
    const text = files.get(path) ?? '';
    if (!text.startsWith(`# ADR ${number}: `))
      faults.push(`${path}: open with '# ADR ${number}: '`);
    if (!/^\| *Status *\|/m.test(text)) faults.push(`${path}: no status row: see another record`);
    for (const section of adrSections) {
      if (!text.includes(`\n## ${section}\n`)) faults.push(`${path}: no section '## ${section}'`);
    }
  });
  const known = new Set(records.map((path) => adrPath.exec(path)?.[1]));
  for (const [path, text] of files) {
    if (!isOurText(path)) continue;
    for (const [, number] of text.matchAll(/\bADR (\d{4})\b/g)) {
      if (!known.has(number)) faults.push(`${path}: cites ADR ${number}, which does not exist`);
    }
  }
  return faults;
}

/** Every dependency has its line of reason: a table row that opens with its name in backquotes. */
export function checkDependencyReasons(packageJson: string, record: string): string[] {
  const groups = JSON.parse(packageJson) as Record<string, Record<string, string> | undefined>;
  const names = ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((group) =>
    Object.keys(groups[group] ?? {}),
  );
  const rows = [...record.matchAll(/^\| ([^|]*) \|/gm)].flatMap((match) =>
    [...(match[1] ?? '').matchAll(/`([^`]+)`/g)].map((name) => name[1] ?? ''),
  );
  return [
    ...names
      .filter((name) => !rows.includes(name))
      .map((name) => `package.json: ${name} has no reason: give it a row in docs/adr/0012`),
    ...rows
      .filter((name) => !names.includes(name))
      .map((name) => `docs/adr/0012: ${name} is no dependency any more: remove its row`),
  ];
}
