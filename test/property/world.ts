/** What a server should hold, kept by the test beside it, in the simplest form that can be compared. */
import { archives } from './fixture.ts';
import type { Body, Read } from './journey.ts';

/** Code, as a listing tells it apart. */
export interface MadeVersion {
  readonly archive: string;
  /** It stays in its bucket, outside the account's code storage. */
  readonly isReferenced: boolean;
  readonly description: string;
}

export interface MadeFunction {
  readonly name: string;
  latest: MadeVersion;
  /** By number. */
  readonly versions: Map<number, MadeVersion>;
  lastVersion: number;
  /** Name to version. */
  readonly aliases: Map<string, string>;
  /** By qualifier: '$LATEST', a number or an alias's name. */
  readonly urls: Map<string, Body>;
  readonly eventInvokes: Map<string, Body>;
  readonly provisioned: Map<string, number>;
  reserved: number | undefined;
  codeSigningConfigArn: string | undefined;
  tags: Readonly<Record<string, string>>;
}

export interface MadeLayerVersion extends MadeVersion {
  readonly runtimes: readonly string[];
  readonly architectures: readonly string[];
}

export interface MadeLayer {
  readonly name: string;
  readonly versions: Map<number, MadeLayerVersion>;
  lastVersion: number;
}

export class World {
  readonly functions = new Map<string, MadeFunction>();
  readonly layers = new Map<string, MadeLayer>();
  /** By UUID: what is shown of them. */
  readonly mappings = new Map<string, Body>();
  /** By ARN: what is shown of them. */
  readonly codeSigningConfigs = new Map<string, Body>();
  /** What was taken away and has not come back: names are never given twice. */
  readonly gone: Read[] = [];

  /** As GetAccountSettings has it. */
  get usage() {
    const functions = [...this.functions.values()];
    const codes = [
      ...functions.flatMap(({ latest, versions }) => [latest, ...versions.values()]),
      ...[...this.layers.values()].flatMap(({ versions }) => [...versions.values()]),
    ];
    return {
      FunctionCount: functions.length,
      TotalCodeSize: sum(
        codes
          .filter(({ isReferenced }) => !isReferenced)
          .map(({ archive }) => Buffer.from(archive, 'base64').length),
      ),
    };
  }

  /** Of the account's concurrency, what functions have for themselves. */
  get claimed(): number {
    const functions = [...this.functions.values()];
    return sum(functions.map(({ reserved, provisioned }) => reserved ?? sum(provisioned.values())));
  }

  addFunction(name: string): MadeFunction {
    const made: MadeFunction = {
      name,
      latest: { archive: archives[0]!, isReferenced: false, description: '' },
      versions: new Map(),
      lastVersion: 0,
      aliases: new Map(),
      urls: new Map(),
      eventInvokes: new Map(),
      provisioned: new Map(),
      reserved: undefined,
      codeSigningConfigArn: undefined,
      tags: {},
    };
    this.functions.set(name, made);
    return made;
  }
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}
