/** Policies of layer versions, for the conformance tests. */
import {
  AddLayerVersionPermissionCommand,
  GetLayerVersionPolicyCommand,
  RemoveLayerVersionPermissionCommand,
  type AddLayerVersionPermissionCommandInput,
  type GetLayerVersionPolicyCommandInput,
  type LambdaClient,
  type RemoveLayerVersionPermissionCommandInput,
} from '@aws-sdk/client-lambda';
import { invalid, refused } from './expect.ts';
import {
  layerArnOf,
  publishLayer,
  refusesForeignLayers,
  refusesNumbersBelowOne,
} from './layers.ts';
import { useServer } from './server.ts';

/** Version 1 of this layer is there in the tests of policies. */
export const LayerName = 'shared';

/** A server for all tests of a file, with version 1 of the layer. */
export function useSharedLayer() {
  return useServer({}, async (client) => void (await publishLayer(client, LayerName)));
}

export function addPermission(
  client: LambdaClient,
  StatementId: string,
  overrides: Partial<AddLayerVersionPermissionCommandInput> = {},
) {
  const name = { LayerName, VersionNumber: 1, StatementId };
  const grant = { Action: 'lambda:GetLayerVersion', Principal: '123456789012' };
  return client.send(new AddLayerVersionPermissionCommand({ ...name, ...grant, ...overrides }));
}

export function removePermission(
  client: LambdaClient,
  StatementId: string,
  overrides: Partial<RemoveLayerVersionPermissionCommandInput> = {},
) {
  const name = { LayerName, VersionNumber: 1, StatementId };
  return client.send(new RemoveLayerVersionPermissionCommand({ ...name, ...overrides }));
}

export function getPolicy(
  client: LambdaClient,
  overrides: Partial<GetLayerVersionPolicyCommandInput> = {},
) {
  const name = { LayerName, VersionNumber: 1 };
  return client.send(new GetLayerVersionPolicyCommand({ ...name, ...overrides }));
}

/** The statement that a permission makes. */
export function statementOf(Sid: string, Principal: unknown, Condition?: object): object {
  return {
    Sid,
    Effect: 'Allow',
    Principal,
    Action: 'lambda:GetLayerVersion',
    Resource: `${layerArnOf(LayerName)}:1`,
    ...(Condition === undefined ? {} : { Condition }),
  };
}

export function noPolicy(call: Promise<unknown>): Promise<void> {
  return refused(
    call,
    'ResourceNotFoundException',
    'No policy is associated with the given resource.',
  );
}

export function stalePolicy(call: Promise<unknown>): Promise<void> {
  return refused(
    call,
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy ' +
      'API to retrieve the latest Revision Id',
  );
}

/** Versions and layers that are not there, in the words for functions that name one. */
export async function refusesMissingVersions(
  call: (name: { LayerName: string; VersionNumber: number }) => Promise<unknown>,
): Promise<void> {
  for (const [name, version] of [
    [LayerName, 2],
    ['never', 1],
  ] as const) {
    await refused(
      call({ LayerName: name, VersionNumber: version }),
      'ResourceNotFoundException',
      `Layer version ${layerArnOf(name)}:${version} does not exist.`,
    );
    // A name that is an ARN becomes part of another (localstack's provider).
    await refused(
      call({ LayerName: layerArnOf(name), VersionNumber: version }),
      'ResourceNotFoundException',
      `Layer version ${layerArnOf(layerArnOf(name))}:${version} does not exist.`,
    );
  }
}

/** Statement ids that are none, and layer versions that are not there or not ours. */
export async function refusesElsewhere(
  operation: string,
  call: (input: {
    StatementId?: string;
    LayerName?: string;
    VersionNumber?: number;
  }) => Promise<unknown>,
): Promise<void> {
  for (const StatementId of ['a b', 's'.repeat(101)]) {
    await invalid(call({ StatementId }), 'statementId');
  }
  await refusesMissingVersions(call);
  await refusesNumbersBelowOne((VersionNumber) => call({ VersionNumber }));
  await refusesForeignLayers(operation, (layer) => call({ LayerName: layer }));
}
