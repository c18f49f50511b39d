/** The functions of a simulated account: created, updated, published, reserved and provisioned for, deleted at random. */
import {
  aliasCollections,
  type AliasRecord,
  type ProvisionedRecord,
} from '../../src/model/alias.ts';
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
/** Has tenant isolation, and so nothing provisioned. */
const tenantFunction = 'delta';
const tenants: readonly string[] = ['red', 'green', 'blue'];
const qualifiers: readonly (string | undefined)[] = [undefined, '$LATEST', '1', '1'];
/** What may be provisioned: version 1, and an alias of it. */
const provisionables: readonly string[] = ['1', 'live'];

const changeWeights = {
  ...{ update: 6, publish: 2, reserve: 6, unreserve: 6, provision: 8, unprovision: 3, delete: 1 },
};

/** What an invocation names. */
export interface SimulatedTarget {
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly tenantId: string | undefined;
}

export class SimulatedFunctions {
  readonly #random: SeededRandom;
  readonly #store: Store;
  readonly #accountMax: number;
  readonly #records = new Map<string, FunctionRecord>();
  /** By function and qualifier. */
  readonly #provisioned = new Map<string, Map<string, ProvisionedRecord>>();
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
      const alias = { Name: 'live', FunctionVersion: '1', RevisionId: 'r' };
      const value: AliasRecord = { configuration: alias };
      await this.#commit(put(aliasKey(name), value));
    }
  }

  /** What is wanted, by '<function>:<qualifier>'. */
  get wanted(): ReadonlyMap<string, ProvisionedRecord> {
    const all = [...this.#provisioned].flatMap(([name, records]) =>
      [...records].map(([qualifier, record]) => [`${name}:${qualifier}`, record] as const),
    );
    return new Map(all);
  }

  pickTarget(): SimulatedTarget {
    const random = this.#random;
    const functionName = random.pick(names);
    const tenantId = functionName === tenantFunction ? random.pick(tenants) : undefined;
    return { functionName, qualifier: random.pick(qualifiers), tenantId };
  }

  async change(): Promise<void> {
    const name = this.#random.pick(names);
    switch (this.#random.weighted(changeWeights)) {
      case 'update':
        return this.#update(name);
      case 'publish':
        return this.#publish(name);
      case 'reserve':
        return this.#reserve(name, this.#reservable(name));
      case 'unreserve':
        return this.#reserve(name, undefined);
      case 'provision':
        return this.#provision(name, this.#random.pick(provisionables));
      case 'unprovision':
        return this.#unprovision(name, this.#random.pick(provisionables));
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
    // Without a reserve its provisioned units are taken from what is unreserved, which may be too little.
    if (reserved === undefined && this.#units(name) > (record.reservedConcurrency ?? Infinity))
      return;
    const { latest, tags } = record;
    await this.#putFunction(name, { latest, tags, ...withReserve(reserved) });
  }

  /**
   * As the control plane keeps it: reserves and provisioned units never exceed the account's limit
   * together, nor a function's units its reserve.
   */
  #reservable(name: string): number {
    const most = this.#available(name);
    return this.#random.integer(Math.min(this.#units(name), most), most);
  }

  /** Units that neither reserves nor provisioned units of other functions have. */
  #available(name: string): number {
    let others = 0;
    for (const other of names) {
      if (other === name) continue;
      others += this.#records.get(other)?.reservedConcurrency ?? this.#units(other);
    }
    return Math.max(0, this.#accountMax - others);
  }

  #units(name: string): number {
    const records = [...(this.#provisioned.get(name)?.values() ?? [])];
    return records.reduce((sum, { requested }) => sum + requested, 0);
  }

  async #provision(name: string, qualifier: string): Promise<void> {
    const record = this.#records.get(name);
    if (record === undefined || name === tenantFunction) return;
    const records = this.#provisioned.get(name) ?? new Map<string, ProvisionedRecord>();
    const present = records.get(qualifier)?.requested ?? 0;
    const most =
      (record.reservedConcurrency ?? this.#available(name)) - this.#units(name) + present;
    if (most < 1) return;
    this.#builds += 1;
    const requested = this.#random.integer(1, Math.min(most, 5));
    const generation = `generation-${this.#builds}`;
    const value: ProvisionedRecord = { qualifier, requested, lastModified: 'now', generation };
    this.#provisioned.set(name, records.set(qualifier, value));
    await this.#commit(put(provisionedKey(name, qualifier), value));
  }

  async #unprovision(name: string, qualifier: string): Promise<void> {
    if (this.#provisioned.get(name)?.delete(qualifier) !== true) return;
    await this.#commit(...provisionedDeletions(name, qualifier));
  }

  async #delete(name: string): Promise<void> {
    if (!this.#records.delete(name)) return;
    this.#provisioned.delete(name);
    await this.#commit(
      { type: 'delete', key: functionKey(name), expect: 'any' },
      { type: 'delete', key: versionKey(name), expect: 'any' },
      ...provisionables.flatMap((qualifier) => provisionedDeletions(name, qualifier)),
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
        ...(name === tenantFunction && { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }),
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

function aliasKey(name: string): DocumentKey {
  return { collection: aliasCollections.alias, partition: name, id: 'live' };
}

function provisionedKey(name: string, qualifier: string): DocumentKey {
  return { collection: aliasCollections.provisioned, partition: name, id: qualifier };
}

function provisionedDeletions(name: string, qualifier: string): WriteOperation[] {
  const status = {
    ...provisionedKey(name, qualifier),
    collection: aliasCollections.provisionedStatus,
  };
  return [provisionedKey(name, qualifier), status].map((key) => ({
    ...{ type: 'delete', key, expect: 'any' },
  }));
}

function put(key: DocumentKey, value: unknown): WriteOperation {
  return { type: 'put', key, value, expect: 'any' };
}
