/** The functions of a simulated account: created, updated, published, reserved for and deleted at random. */
import {
  collections,
  versionDocumentId,
  type FunctionRecord,
  type PublishedVersionRecord,
  type VersionRecord,
} from '../../src/model/function.ts';
import type { DocumentKey, Store, WriteOperation } from '../../src/store/store.ts';
import type { SeededRandom } from './seeded-random.ts';

const names: readonly string[] = ['alpha', 'beta', 'gamma', 'delta'];
const qualifiers: readonly (string | undefined)[] = [undefined, undefined, '$LATEST', '1'];

export class SimulatedFunctions {
  readonly #random: SeededRandom;
  readonly #store: Store;
  readonly #accountMax: number;
  readonly #records = new Map<string, FunctionRecord>();
  #builds = 0;

  constructor(random: SeededRandom, store: Store, accountMax: number) {
    this.#random = random;
    this.#store = store;
    this.#accountMax = accountMax;
  }

  async createAll(): Promise<void> {
    for (const name of names) {
      await this.#update(name);
      await this.#publish(name);
    }
  }

  pickTarget(): { readonly functionName: string; readonly qualifier: string | undefined } {
    const random = this.#random;
    return { functionName: random.pick(names), qualifier: random.pick(qualifiers) };
  }

  async change(): Promise<void> {
    const name = this.#random.pick(names);
    switch (this.#random.weighted({ update: 6, publish: 4, reserve: 6, unreserve: 6, delete: 1 })) {
      case 'update':
        return this.#update(name);
      case 'publish':
        return this.#publish(name);
      case 'reserve':
        return this.#reserve(name, this.#random.integer(0, this.#reservable(name)));
      case 'unreserve':
        return this.#reserve(name, undefined);
      case 'delete':
        return this.#delete(name);
    }
  }

  #update(name: string): Promise<void> {
    const reserved = this.#records.get(name)?.reservedConcurrency;
    const latest = this.#build(name, '$LATEST');
    return this.#putFunction(name, { latest, tags: {}, ...withReserve(reserved) });
  }

  async #publish(name: string): Promise<void> {
    const record: PublishedVersionRecord = { ...this.#build(name, '1'), publishedFrom: '' };
    if (this.#records.has(name)) await this.#commit(put(versionKey(name), record));
  }

  async #reserve(name: string, reserved: number | undefined): Promise<void> {
    const record = this.#records.get(name);
    if (record === undefined) return;
    const { latest, tags } = record;
    await this.#putFunction(name, { latest, tags, ...withReserve(reserved) });
  }

  /** As the control plane keeps it: reserves never exceed the account's limit together. */
  #reservable(name: string): number {
    let others = 0;
    for (const [other, { reservedConcurrency }] of this.#records) {
      if (other !== name) others += reservedConcurrency ?? 0;
    }
    return Math.max(0, this.#accountMax - others);
  }

  async #delete(name: string): Promise<void> {
    if (!this.#records.delete(name)) return;
    await this.#commit(
      { type: 'delete', key: functionKey(name), expect: 'any' },
      { type: 'delete', key: versionKey(name), expect: 'any' },
    );
  }

  #putFunction(name: string, record: FunctionRecord): Promise<void> {
    this.#records.set(name, record);
    return this.#commit(put(functionKey(name), record));
  }

  async #commit(...operations: WriteOperation[]): Promise<void> {
    await this.#store.commit(operations);
  }

  #build(name: string, version: string): VersionRecord {
    this.#builds += 1;
    const hash = `${name}-${version}-${this.#builds}`;
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
    return {
      buildId: `build-${this.#builds}`,
      code: { hash, zippedBytes: 1, unzippedBytes: 1 },
      configuration: {
        ...{ FunctionName: name, FunctionArn: arn, Version: version, Role: 'role' },
        ...{ State: 'Active', LastUpdateStatus: 'Successful', RevisionId: 'r' },
        ...{ LastModified: 'now', Timeout: this.#random.integer(1, 3), PackageType: 'Zip' },
        MemorySize: this.#random.pick([128, 256, 1024]),
        ...{ EphemeralStorage: { Size: 512 }, CodeSha256: '', CodeSize: 1 },
        ...{ Runtime: 'nodejs24.x', Handler: 'index.handler' },
      },
    };
  }
}

function withReserve(reserved: number | undefined): Pick<FunctionRecord, 'reservedConcurrency'> {
  return reserved === undefined ? {} : { reservedConcurrency: reserved };
}

function functionKey(name: string): DocumentKey {
  return { collection: collections.function, partition: name, id: '' };
}

function versionKey(name: string): DocumentKey {
  return { collection: collections.version, partition: name, id: versionDocumentId('1') };
}

function put(key: DocumentKey, value: unknown): WriteOperation {
  return { type: 'put', key, value, expect: 'any' };
}
