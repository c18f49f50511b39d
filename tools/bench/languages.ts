/** The languages that are measured: an echo handler, and the bare interpreter that stands beside it. */
import { join } from 'node:path';
import { findRuntimeSearch } from '../../src/config.ts';
import { createRuntimeCatalog } from '../../src/worker/runtimes.ts';

export interface Language {
  readonly name: 'node' | 'python';
  readonly runtime: string;
  readonly file: string;
  readonly handler: string;
  readonly code: string;
  /** The interpreter that Hearth runs. */
  readonly binary: string;
  /** Its arguments for an empty script. */
  readonly emptyScript: readonly string[];
  /**
   * A program for a folder that holds `file`: loads the handler, and then answers each line of its
   * standard input with what the handler returns, as lean as the language lets one.
   */
  readonly pipeLoop: { readonly file: string; readonly code: string };
}

const nodeLoop = `import { handler } from './index.mjs';
process.stdin.on('data', async (bytes) => {
  process.stdout.write(JSON.stringify(await handler(JSON.parse(String(bytes)))) + '\\n');
});
`;

const pythonLoop = `import json, sys
from index import handler
for line in sys.stdin:
    print(json.dumps(handler(json.loads(line), None)), flush=True)
`;

/** Node.js always, Python when the host has one that Hearth runs. */
export function findLanguages(): Language[] {
  const node: Language = {
    name: 'node',
    runtime: 'nodejs24.x',
    file: 'index.mjs',
    handler: 'index.handler',
    code: 'export const handler = async (event) => event;\n',
    binary: process.execPath,
    emptyScript: ['-e', ''],
    pipeLoop: { file: 'loop.mjs', code: nodeLoop },
  };
  const python = findPython();
  if (python === undefined) return [node];
  const code = 'def handler(event, context):\n    return event\n';
  const rest = { emptyScript: ['-c', 'pass'], pipeLoop: { file: 'loop.py', code: pythonLoop } };
  return [
    node,
    { name: 'python', file: 'index.py', handler: 'index.handler', code, ...python, ...rest },
  ];
}

/** The newest Python that Hearth runs, and the interpreter that it runs. */
function findPython(): Pick<Language, 'runtime' | 'binary'> | undefined {
  const found = createRuntimeCatalog(findRuntimeSearch())
    .list()
    .flatMap((entry) =>
      entry.available && entry.runtime.language === 'python' ? [entry.runtime] : [],
    )
    .at(-1);
  if (found === undefined) return undefined;
  return { runtime: found.id, binary: join(found.languageDir ?? '', found.executable) };
}
