/** Small functions for end-to-end tests, and the way they are deployed. */
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type CreateFunctionCommandInput,
  type InvokeCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import yazl from 'yazl';

export const role = 'arn:aws:iam::000000000000:role/lambda-role';

export interface ZipFile {
  readonly text: string | Buffer;
  readonly mode?: number;
}

export async function zip(files: Readonly<Record<string, string | ZipFile>>): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const [name, file] of Object.entries(files)) {
    const { text, mode } = typeof file === 'string' ? { text: file, mode: undefined } : file;
    archive.addBuffer(Buffer.from(text), name, { mode: mode ?? 0o100644 });
  }
  archive.end();
  return buffer(archive.outputStream as NodeJS.ReadableStream);
}

/** Creates a function and waits until it is active. */
export async function deploy(
  client: LambdaClient,
  name: string,
  input: Partial<CreateFunctionCommandInput> & {
    readonly files: Readonly<Record<string, string | ZipFile>>;
  },
): Promise<void> {
  const { files, ...rest } = input;
  await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile: await zip(files) },
      ...rest,
    }),
  );
  await settled(client, name);
}

/** Until a create or update has settled. The SDK's own waiters do the same, but in whole seconds. */
export async function settled(client: LambdaClient, name: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    if (found.State !== 'Pending' && found.LastUpdateStatus !== 'InProgress') return;
    await sleep(5);
  }
  throw new Error(`${name} did not settle`);
}

export interface Invoked {
  readonly status: number | undefined;
  readonly functionError: string | undefined;
  readonly version: string | undefined;
  readonly text: string;
  /** The payload as JSON; undefined when there is none. */
  readonly result: unknown;
  /** The decoded log tail, with LogType Tail. */
  readonly log: string;
  readonly requestId: string;
}

export async function invoke(
  client: LambdaClient,
  name: string,
  event: unknown = {},
  options: Partial<InvokeCommandInput> = {},
): Promise<Invoked> {
  const response = await client.send(
    new InvokeCommand({
      FunctionName: name,
      Payload: JSON.stringify(event),
      LogType: 'Tail',
      ...options,
    }),
  );
  const text = response.Payload?.transformToString() ?? '';
  return {
    status: response.StatusCode,
    functionError: response.FunctionError,
    version: response.ExecutedVersion,
    text,
    result: text === '' ? undefined : (JSON.parse(text) as unknown),
    log: Buffer.from(response.LogResult ?? '', 'base64').toString(),
    requestId: response.$metadata.requestId ?? '',
  };
}
