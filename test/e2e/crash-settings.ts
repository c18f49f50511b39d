/**
 * Settings of one function as the crash test writes and reads them: each is a place with one value, or
 * none, whatever operations that takes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  CreateFunctionUrlConfigCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionCodeSigningConfigCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionRecursionConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  GetRuntimeManagementConfigCommand,
  ListEventSourceMappingsCommand,
  ListFunctionsByCodeSigningConfigCommand,
  PutFunctionCodeSigningConfigCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
  PutRuntimeManagementConfigCommand,
  RemovePermissionCommand,
  UpdateEventSourceMappingCommand,
  UpdateFunctionUrlConfigCommand,
  type EventSourceMappingConfiguration,
  type FunctionUrlAuthType,
  type LambdaClient,
  type RecursiveLoop,
  type UpdateRuntimeOn,
} from '@aws-sdk/client-lambda';

export type Value = string | undefined;

export interface Setting {
  readonly name: string;
  readonly values: readonly Value[];
  /** Undefined if there is none; rejects for what should never be found. */
  read(client: LambdaClient): Promise<Value>;
  /** Makes `value` of `present`; rejects as the operation does. */
  write(client: LambdaClient, value: Value, present: Value): Promise<unknown>;
}

/** The function, with an alias `live`, that all settings are of. */
export const FunctionName = 'stormed';
const alias = { FunctionName, Qualifier: 'live' };

/** Undefined for what is not there. */
async function orNone<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

const permission: Setting = {
  name: 'a permission of the alias',
  values: [undefined, 's3'],
  async read(client) {
    const found = await orNone(client.send(new GetPolicyCommand(alias)));
    return /"Sid":"(\w+)"/.exec(found?.Policy ?? '')?.[1];
  },
  async write(client, value, present) {
    if (value === present) return undefined;
    const StatementId = 's3';
    if (value === undefined) {
      return client.send(new RemovePermissionCommand({ ...alias, StatementId }));
    }
    const grant = { StatementId, Principal: 's3.amazonaws.com', Action: 'lambda:InvokeFunction' };
    return client.send(new AddPermissionCommand({ ...alias, ...grant }));
  },
};

const url: Setting = {
  name: 'the URL of the alias',
  values: [undefined, 'NONE', 'AWS_IAM'],
  async read(client) {
    return (await orNone(client.send(new GetFunctionUrlConfigCommand(alias))))?.AuthType;
  },
  async write(client, value, present) {
    const AuthType = value as FunctionUrlAuthType;
    if (value !== undefined && present !== undefined) {
      return client.send(new UpdateFunctionUrlConfigCommand({ ...alias, AuthType }));
    }
    if (value !== undefined) {
      return client.send(new CreateFunctionUrlConfigCommand({ ...alias, AuthType }));
    }
    return orNone(client.send(new DeleteFunctionUrlConfigCommand(alias)));
  },
};

const eventInvoke: Setting = {
  name: 'settings of asynchronous invocations',
  values: [undefined, '60', '61', '62'],
  async read(client) {
    const found = await orNone(client.send(new GetFunctionEventInvokeConfigCommand(alias)));
    return found && String(found.MaximumEventAgeInSeconds);
  },
  async write(client, value) {
    if (value === undefined) {
      return orNone(client.send(new DeleteFunctionEventInvokeConfigCommand(alias)));
    }
    const MaximumEventAgeInSeconds = Number(value);
    const input = { ...alias, MaximumEventAgeInSeconds };
    return client.send(new PutFunctionEventInvokeConfigCommand(input));
  },
};

const recursion: Setting = {
  name: 'recursion',
  values: ['Allow', 'Terminate'],
  async read(client) {
    const input = { FunctionName };
    return (await client.send(new GetFunctionRecursionConfigCommand(input))).RecursiveLoop;
  },
  async write(client, value) {
    const RecursiveLoop = value as RecursiveLoop;
    return client.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop }));
  },
};

const runtimeManagement: Setting = {
  name: 'runtime management of the version',
  values: ['Auto', 'FunctionUpdate'],
  async read(client) {
    return (await client.send(new GetRuntimeManagementConfigCommand(alias))).UpdateRuntimeOn;
  },
  async write(client, value) {
    const UpdateRuntimeOn = value as UpdateRuntimeOn;
    return client.send(new PutRuntimeManagementConfigCommand({ ...alias, UpdateRuntimeOn }));
  },
};

/** Which of these configurations the function has. */
function codeSigning(arns: readonly string[]): Setting {
  return {
    name: 'code signing',
    values: [undefined, ...arns],
    async read(client) {
      const input = { FunctionName };
      const found = await client.send(new GetFunctionCodeSigningConfigCommand(input));
      for (const CodeSigningConfigArn of arns) {
        const users = new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn });
        const { FunctionArns = [] } = await client.send(users);
        const isUsed = FunctionArns.length === 1;
        if (isUsed !== (found.CodeSigningConfigArn === CodeSigningConfigArn)) {
          throw new Error(`${CodeSigningConfigArn} is used: ${isUsed}`);
        }
      }
      return found.CodeSigningConfigArn;
    },
    async write(client, CodeSigningConfigArn) {
      if (CodeSigningConfigArn === undefined) {
        return client.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }));
      }
      const input = { FunctionName, CodeSigningConfigArn };
      return client.send(new PutFunctionCodeSigningConfigCommand(input));
    },
  };
}

async function mappings(client: LambdaClient): Promise<EventSourceMappingConfiguration[]> {
  const found = await client.send(new ListEventSourceMappingsCommand({}));
  return found.EventSourceMappings ?? [];
}

/** Batch size and state, such as '5 Enabled', of a mapping that is changed as soon as it has settled. */
const mapping: Setting = {
  name: 'an event source mapping',
  values: [undefined, '5 Enabled', '6 Enabled', '7 Disabled'],
  async read(client) {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const [found, ...others] = await mappings(client);
      if (others.length > 0) throw new Error('there is one mapping at most');
      if (found === undefined) return undefined;
      const state = found.State ?? '';
      if (['Enabled', 'Disabled'].includes(state)) return `${found.BatchSize} ${state}`;
      await sleep(10);
    }
    throw new Error('a mapping stays unsettled');
  },
  async write(client, value, present) {
    const [size, state] = (value ?? '').split(' ');
    const settings = { FunctionName, BatchSize: Number(size), Enabled: state === 'Enabled' };
    if (present === undefined) {
      if (value === undefined) return undefined;
      const EventSourceArn = 'arn:aws:sqs:us-east-1:000000000000:stormed';
      return client.send(new CreateEventSourceMappingCommand({ ...settings, EventSourceArn }));
    }
    const [{ UUID } = { UUID: '' }] = await mappings(client);
    if (value !== undefined) {
      return client.send(new UpdateEventSourceMappingCommand({ ...settings, UUID }));
    }
    return client.send(new DeleteEventSourceMappingCommand({ UUID }));
  },
};

/** All settings of this kind; `codeSigningArns` are configurations that are there. */
export function stormedSettings(codeSigningArns: readonly string[]): readonly Setting[] {
  const signing = codeSigning(codeSigningArns);
  return [permission, url, eventInvoke, recursion, runtimeManagement, signing, mapping];
}
