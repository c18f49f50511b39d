/** The files of the repository as Git sees them: tracked, or new and not ignored. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Paths from the repository's root, sorted. Without Git (an unpacked archive), all but the ignored. */
export function listFiles(): string[] {
  return (existsSync(join(repositoryRoot, '.git')) ? listWithGit() : listWithoutGit())
    .filter((path) => lstatSync(join(repositoryRoot, path), { throwIfNoEntry: false })?.isFile())
    .sort();
}

function listWithGit(): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  // A clone that another user owns is still ours to read.
  const git = ['-c', `safe.directory=${repositoryRoot.replace(/\/$/, '')}`, ...args];
  const output = execFileSync('git', git, { cwd: repositoryRoot, encoding: 'utf8' });
  return [...new Set(output.split('\0').filter((path) => path !== ''))];
}

function listWithoutGit(): string[] {
  const ignored = /^(node_modules|\.hearth|build)(\/|$)|__pycache__|\.(log|pyc)$/;
  return globSync(['**/*', '.ci/*', '.*'], { cwd: repositoryRoot, exclude: ['node_modules/**'] })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !ignored.test(path));
}

/** Texts of the files that `matches`, by path. */
export function readFiles(matches: (path: string) => boolean): Map<string, string> {
  const paths = listFiles().filter(matches);
  return new Map(paths.map((path) => [path, readFileSync(join(repositoryRoot, path), 'utf8')]));
}
