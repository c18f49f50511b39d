/** Handlers of the control plane's operations: nothing but the way there and back. */
import type { ControlPlane } from '../../control/control-plane.ts';
import type { OperationHandlers } from '../operation.ts';

export function controlHandlers(control: ControlPlane): OperationHandlers {
  return {
    AddLayerVersionPermission: (input) => control.addLayerVersionPermission(input),
    CreateAlias: (input) => control.createAlias(input),
    CreateFunction: (input) => control.createFunction(input),
    DeleteAlias: (input) => control.deleteAlias(input),
    DeleteFunction: (input) => control.deleteFunction(input),
    DeleteLayerVersion: (input) => control.deleteLayerVersion(input),
    DeleteFunctionConcurrency: (input) => control.deleteFunctionConcurrency(input),
    DeleteProvisionedConcurrencyConfig: (input) =>
      control.deleteProvisionedConcurrencyConfig(input),
    GetAccountSettings: (input) => control.getAccountSettings(input),
    GetAlias: (input) => control.getAlias(input),
    GetFunction: (input, { baseUrl }) => control.getFunction(input, { baseUrl }),
    GetFunctionConcurrency: (input) => control.getFunctionConcurrency(input),
    GetFunctionConfiguration: (input) => control.getFunctionConfiguration(input),
    GetLayerVersion: (input, { baseUrl }) => control.getLayerVersion(input, { baseUrl }),
    GetLayerVersionByArn: (input, { baseUrl }) => control.getLayerVersionByArn(input, { baseUrl }),
    GetLayerVersionPolicy: (input) => control.getLayerVersionPolicy(input),
    GetProvisionedConcurrencyConfig: (input) => control.getProvisionedConcurrencyConfig(input),
    ListAliases: (input) => control.listAliases(input),
    ListFunctions: (input) => control.listFunctions(input),
    ListLayers: (input) => control.listLayers(input),
    ListLayerVersions: (input) => control.listLayerVersions(input),
    ListProvisionedConcurrencyConfigs: (input) => control.listProvisionedConcurrencyConfigs(input),
    ListTags: (input) => control.listTags(input),
    ListVersionsByFunction: (input) => control.listVersionsByFunction(input),
    PublishLayerVersion: (input, { baseUrl }) => control.publishLayerVersion(input, { baseUrl }),
    PublishVersion: (input) => control.publishVersion(input),
    RemoveLayerVersionPermission: (input) => control.removeLayerVersionPermission(input),
    PutFunctionConcurrency: (input) => control.putFunctionConcurrency(input),
    PutProvisionedConcurrencyConfig: (input) => control.putProvisionedConcurrencyConfig(input),
    TagResource: (input) => control.tagResource(input),
    UntagResource: (input) => control.untagResource(input),
    UpdateAlias: (input) => control.updateAlias(input),
    UpdateFunctionCode: (input) => control.updateFunctionCode(input),
    UpdateFunctionConfiguration: (input) => control.updateFunctionConfiguration(input),
  };
}
