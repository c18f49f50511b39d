/** One server for the conformance tests, and the client that the tests drive it with. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  type CreateAliasCommandInput,
  type CreateFunctionCommandInput,
  type FunctionConfiguration,
} from '@aws-sdk/client-lambda';
import { createApiServer } from '../../src/api/server.ts';
import { openCodeTrees } from '../../src/artifact/code-trees.ts';
import { openFileBlobs } from '../../src/artifact/file-blobs.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import {
  createCodeDownloadRoute,
  createCodeLocations,
} from '../../src/control/code/code-location.ts';
import { createControlPlane, type ControlPlaneOptions } from '../../src/control/control-plane.ts';
import { defaultQuotas } from '../../src/model/quotas.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { zipOf } from '../../src/testing/zip-builder.ts';

export const accountId = '000000000000';
export const region = 'us-east-1';
export const role = `arn:aws:iam::${accountId}:role/conformance`;
export const handlerZip = zipOf({ 'index.js': 'exports.handler = async () => 1;' });
export const otherZip = zipOf({ 'index.js': 'exports.handler = async () => 2;' });

export interface ConformanceServer {
  /** An SDK client as users make it, but for the endpoint. One attempt per call. */
  readonly client: LambdaClient;
  readonly url: string;
}

interface RunningServer extends ConformanceServer {
  stop(): Promise<void>;
}

/** Settings of the control plane beside those that all servers here share. */
export type ServerSettings = Partial<ControlPlaneOptions>;

/** Starts a server for all tests of a file and stops it after them. */
export function useServer(
  settings: ServerSettings | (() => Promise<ServerSettings>) = {},
): ConformanceServer {
  let running: RunningServer | undefined;
  const current = (): RunningServer => {
    if (running === undefined) throw new Error('the server runs only while tests do');
    return running;
  };
  before(async () => {
    running = await startServer(typeof settings === 'function' ? await settings() : settings);
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

async function startServer(settings: ServerSettings): Promise<RunningServer> {
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
  const server = createApiServer(systemClock, systemRandom, silentLog, control.operations, {
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
    async stop() {
      client.destroy();
      await server.close({ drainMs: 0 });
      await control.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

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
  await waitUntilFunctionActiveV2(waiting(client), { FunctionName: name });
  return created;
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

export async function untilUpdated(client: LambdaClient, name: string): Promise<void> {
  await waitUntilFunctionUpdatedV2(waiting(client), { FunctionName: name });
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
  PolicyLengthExceededException: 400,
  PreconditionFailedException: 412,
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
