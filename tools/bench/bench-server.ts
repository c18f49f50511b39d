/** A server that is measured, and functions on it. */
import type { Agent } from 'node:http';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
  PublishVersionCommand,
  type Runtime,
  waitUntilFunctionActiveV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { startThrowawayServer, type ThrowawayServer } from '../throwaway-server.ts';
import { zipFiles } from '../zip-folder.ts';
import { send } from './client.ts';
import type { Language } from './languages.ts';

export interface Bench {
  readonly driver: string;
  readonly server: ThrowawayServer;
  readonly lambda: LambdaClient;
}

/** A whole CPU, so that the limit of a small function is not what is measured. */
export const WHOLE_CPU_MB = 1769;

export const event = JSON.stringify({
  key1: 'value1',
  key2: 'value2',
  key3: 'value3',
  n: 12345,
});

/** Starts a server, measures, and stops it; rejects when it did not end as it should. */
export async function withServer(
  driver: string,
  flags: readonly string[],
  measure: (bench: Bench) => Promise<void>,
): Promise<void> {
  const server = await startThrowawayServer('--sandbox', driver, '--log-level', 'error', ...flags);
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const lambda = new LambdaClient({ endpoint: server.url, region: 'us-east-1', credentials });
  let status: number | string = 'not stopped';
  try {
    await measure({ driver, server, lambda });
  } finally {
    lambda.destroy();
    status = await server.stop();
  }
  if (status !== 0) throw new Error(`the server ended badly: ${status}`);
}

export interface BenchFunction {
  readonly name: string;
  readonly language: Pick<Language, 'runtime' | 'file' | 'handler' | 'code'>;
  /** Of the file. */
  readonly mode?: number;
  readonly memoryMb?: number;
  readonly timeoutSeconds?: number;
  /** Its versions have SnapStart. */
  readonly hasSnapshots?: boolean;
}

/** Creates a function and waits until it is active; resolves with the URL that invokes it. */
export async function createFunction(bench: Bench, options: BenchFunction): Promise<string> {
  const { name, language, mode = 0o100644 } = options;
  const { memoryMb = WHOLE_CPU_MB, timeoutSeconds = 30 } = options;
  const zip = await zipFiles([[language.file, Buffer.from(language.code), mode]]);
  await bench.lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: language.runtime as Runtime,
      Handler: language.handler,
      Role: 'arn:aws:iam::000000000000:role/bench',
      Code: { ZipFile: zip },
      MemorySize: memoryMb,
      Timeout: timeoutSeconds,
      ...(options.hasSnapshots === true && { SnapStart: { ApplyOn: 'PublishedVersions' } }),
    }),
  );
  const waiter = { client: bench.lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 1 };
  await waitUntilFunctionActiveV2(waiter, { FunctionName: name });
  return `${bench.server.url}/2015-03-31/functions/${name}/invocations`;
}

/** Publishes a version of a function and waits until it is active; resolves with the URL that invokes it. */
export async function publishVersion(bench: Bench, name: string): Promise<string> {
  const { Version } = await bench.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  const waiter = { client: bench.lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 1 };
  await waitUntilPublishedVersionActive(waiter, { FunctionName: name, Qualifier: Version });
  return `${bench.server.url}/2015-03-31/functions/${name}/invocations?Qualifier=${Version}`;
}

export async function deleteFunction(bench: Bench, name: string): Promise<void> {
  await bench.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
}

/** Sends the event and insists on getting it back; resolves with how long that took. */
export async function timeEcho(agent: Agent, url: string): Promise<number> {
  const startedMs = performance.now();
  const answer = await send(agent, url, event);
  const tookMs = performance.now() - startedMs;
  // Python writes the same JSON with other spaces.
  if (answer.replaceAll(' ', '') !== event) throw new Error(`wrong answer from ${url}: ${answer}`);
  return tookMs;
}
