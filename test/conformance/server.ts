/** One server for the conformance tests, and the client that the tests drive it with. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  type CreateAliasCommandInput,
  type CreateFunctionCommandInput,
  type FunctionConfiguration,
} from '@aws-sdk/client-lambda';
import { createApiServer } from '../../src/api/server.ts';
import type { OperationHandlers } from '../../src/api/operation.ts';
import { openCodeTrees } from '../../src/artifact/code-trees.ts';
import { openFileBlobs } from '../../src/artifact/file-blobs.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import {
  createCodeDownloadRoute,
  createCodeLocations,
} from '../../src/control/code/code-location.ts';
import {
  createControlPlane,
  type ControlPlane,
  type ControlPlaneOptions,
} from '../../src/control/control-plane.ts';
import { defaultQuotas } from '../../src/model/quotas.ts';
import type { Store } from '../../src/store/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { zipOf } from '../../src/testing/zip-builder.ts';

export const accountId = '000000000000';
export const region = 'us-east-1';
export const role = `arn:aws:iam::${accountId}:role/conformance`;
/** Between two looks at a function that is not settled. */
const POLL_INTERVAL_MS = 5;

export const handlerZip = zipOf({ 'index.js': 'exports.handler = async () => 1;' });
export const otherZip = zipOf({ 'index.js': 'exports.handler = async () => 2;' });

export interface ConformanceServer {
  /** An SDK client as users make it, but for the endpoint. One attempt per call. */
  readonly client: LambdaClient;
  readonly url: string;
}

export interface RunningServer extends ConformanceServer {
  readonly store: Store;
  /** Holds the store's database `state.db` and the folders `blobs` and `code`. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** What the handlers of operations that are not the control plane's are made of. */
export interface ServerParts {
  readonly control: ControlPlane;
  readonly store: Store;
  readonly folder: string;
}

/** Settings of the control plane beside those that all servers here share. */
export type ServerSettings = Partial<ControlPlaneOptions>;

/**
 * Starts a server for all tests of a file and stops it after them. `prepare` makes what they share,
 * before the first of them.
 */
export function useServer(
  settings: ServerSettings | (() => Promise<ServerSettings>) = {},
  prepare?: (client: LambdaClient) => Promise<void>,
): ConformanceServer {
  let running: RunningServer | undefined;
  const current = (): RunningServer => {
    if (running === undefined) throw new Error('the server runs only while tests do');
    return running;
  };
  before(async () => {
    running = await startServer(typeof settings === 'function' ? await settings() : settings);
    await prepare?.(running.client);
  });
  after(() => running?.stop());
  return {
    get client() {
      return current().client;
    },
    get url() {
      return current().url;
    },
  };
}

/** With the control plane's operations, or with what `handlersOf` gives. */
export async function startServer(
  settings: ServerSettings,
  handlersOf: (parts: ServerParts) => OperationHandlers | Promise<OperationHandlers> = ({
    control,
  }) => control.operations,
): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-conformance-'));
  const store = await openSqliteStore(silentLog, { path: join(folder, 'state.db') });
  const blobs = await openFileBlobs({ folder: join(folder, 'blobs') });
  const codeTrees = await openCodeTrees({ folder: join(folder, 'code') });
  const codeLocations = createCodeLocations(systemClock, 'conformance');
  const control = await createControlPlane(
    systemClock,
    systemRandom,
    silentLog,
    store,
    blobs,
    codeTrees,
    { accountId, region, codeLocations, ...settings },
  );
  const handlers = await handlersOf({ control, store, folder });
  const server = createApiServer(systemClock, systemRandom, silentLog, handlers, {
    loopbackOnly: true,
    quotas: { ...defaultQuotas, ...settings },
    extraRoutes: createCodeDownloadRoute(silentLog, blobs, codeLocations),
  });
  const { port } = await server.listen('127.0.0.1', 0);
  const url = `http://127.0.0.1:${port}`;
  const client = new LambdaClient({
    endpoint: url,
    region,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
  return {
    client,
    url,
    store,
    folder,
    async stop() {
      client.destroy();
      await server.close({ drainMs: 0 });
      await control.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a function is created with whose invocations each name a tenant. */
export const perTenant = { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } } as const;

/** A request for a valid function, with what the test cares about put over it. */
export function functionInput(
  name: string,
  overrides: Partial<CreateFunctionCommandInput> = {},
): CreateFunctionCommandInput {
  return {
    FunctionName: name,
    Role: role,
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Code: { ZipFile: handlerZip },
    ...overrides,
  };
}

/** Creates a function and waits until it is active. */
export async function createActive(
  client: LambdaClient,
  name: string,
  overrides: Partial<CreateFunctionCommandInput> = {},
): Promise<FunctionConfiguration> {
  const created = await client.send(new CreateFunctionCommand(functionInput(name, overrides)));
  await untilUpdated(client, name);
  return created;
}

/** As createActive; gives the function as it is once it is active. */
export async function createUpdated(
  client: LambdaClient,
  name: string,
  overrides: Partial<CreateFunctionCommandInput> = {},
): Promise<FunctionConfiguration> {
  await createActive(client, name, overrides);
  return untilUpdated(client, name);
}

/** Creates a function with version 1 and the alias `live` for it, and waits until it is active. */
export async function createAliased(
  client: LambdaClient,
  FunctionName: string,
  alias: Partial<CreateAliasCommandInput> = {},
): Promise<void> {
  await createActive(client, FunctionName, { Publish: true });
  const input = { FunctionName, Name: 'live', FunctionVersion: '1', ...alias };
  await client.send(new CreateAliasCommand(input));
}

/**
 * Asks until nothing is under way for the function, and gives its configuration then. Settling takes
 * milliseconds, while waiters of the SDK ask once a second at the fastest: tests whose subject they
 * are not use this.
 */
export async function untilUpdated(
  client: LambdaClient,
  FunctionName: string,
  Qualifier?: string,
): Promise<FunctionConfiguration> {
  const reading = new GetFunctionConfigurationCommand({ FunctionName, Qualifier });
  for (;;) {
    const { $metadata: metadata, ...found } = await client.send(reading);
    assert.equal(metadata.httpStatusCode, 200);
    if (found.State !== 'Pending' && found.LastUpdateStatus !== 'InProgress') return found;
    await pause(POLL_INTERVAL_MS);
  }
}

/** Waiters of the SDK poll once a second at the fastest. */
export function waiting(client: LambdaClient) {
  return { client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 };
}

export function arnOf(name: string): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
}

const statuses = {
  AccessDeniedException: 403,
  InvalidParameterValueException: 400,
  InvalidRequestContentException: 400,
  PolicyLengthExceededException: 400,
  PreconditionFailedException: 412,
  ProvisionedConcurrencyConfigNotFoundException: 404,
  RequestEntityTooLargeException: 413,
  ResourceConflictException: 409,
  ResourceInUseException: 400,
  ResourceNotFoundException: 404,
  ValidationException: 400,
} as const;

export type ErrorName = keyof typeof statuses;

/** For assert.rejects: the service's error by name, with its HTTP status and, if given, its message. */
export function refused(
  name: ErrorName,
  message?: string | RegExp,
): (error: Error & { readonly $metadata: { readonly httpStatusCode?: number } }) => true {
  return (error) => {
    assert.equal(error.name, name, error.message);
    assert.equal(error.$metadata.httpStatusCode, statuses[name]);
    if (typeof message === 'string') assert.equal(error.message, message);
    else if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

/** The members of an answer that are the service's, without some of them. */
export function membersOf<Output extends object, Member extends keyof Output = never>(
  output: Output,
  ...without: readonly Member[]
): Omit<Output, '$metadata' | Member> {
  const members = Object.entries(output).filter(
    ([member]) => member !== '$metadata' && !without.includes(member as Member),
  );
  return Object.fromEntries(members) as Omit<Output, '$metadata' | Member>;
}
