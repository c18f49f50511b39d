/**
 * The import table of Hearth, as data: which module may import which (ARCHITECTURE.md draws it).
 *
 * A module is a folder of src/; `main.ts`, `cli.ts` and `config.ts` count as modules of one file.
 * The table is complete: what is not named here is forbidden. A new edge needs an ADR.
 */

export interface LayerRule {
  /** Modules that files of this module may import, beside their own. */
  readonly modules: readonly string[];
  /** May import Node's built-in modules and npm packages. */
  readonly outside: boolean;
}

const tiers0To4 = [
  'base',
  'model',
  'store',
  'artifact',
  'telemetry',
  'sandbox',
  'worker',
  'control',
  'invoke',
];

export const layerTable: Readonly<Record<string, LayerRule>> = {
  base: { modules: [], outside: true },
  model: { modules: ['base'], outside: false },
  store: { modules: ['model', 'base'], outside: true },
  artifact: { modules: ['model', 'base'], outside: true },
  telemetry: { modules: ['model', 'base'], outside: true },
  sandbox: { modules: ['model', 'base'], outside: true },
  worker: { modules: ['sandbox', 'artifact', 'telemetry', 'model', 'base'], outside: true },
  control: { modules: ['store', 'artifact', 'model', 'base'], outside: true },
  invoke: { modules: ['worker', 'store', 'telemetry', 'model', 'base'], outside: true },
  api: { modules: ['control', 'invoke', 'model', 'base'], outside: true },
  'runtime-api': { modules: ['worker', 'telemetry', 'model', 'base'], outside: true },
  poller: { modules: ['invoke', 'store', 'telemetry', 'model', 'base'], outside: true },
  testing: { modules: tiers0To4, outside: true },
  'config.ts': { modules: ['model', 'base'], outside: true },
  'main.ts': {
    modules: [...tiers0To4, 'api', 'runtime-api', 'poller', 'config.ts'],
    outside: true,
  },
  'cli.ts': { modules: ['config.ts', 'main.ts'], outside: true },
};

/** Only test files may import it. */
export const testOnlyModule = 'testing';
