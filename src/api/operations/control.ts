/** Handlers of the control plane's operations: nothing but the way there and back. */
import type { ControlPlane } from '../../control/control-plane.ts';
import type { OperationHandlers } from '../operation.ts';

export function controlHandlers(control: ControlPlane): OperationHandlers {
  return {
    CreateFunction: (input) => control.createFunction(input),
    DeleteFunction: (input) => control.deleteFunction(input),
    DeleteFunctionConcurrency: (input) => control.deleteFunctionConcurrency(input),
    GetAccountSettings: (input) => control.getAccountSettings(input),
    GetFunction: (input, { baseUrl }) => control.getFunction(input, { baseUrl }),
    GetFunctionConcurrency: (input) => control.getFunctionConcurrency(input),
    GetFunctionConfiguration: (input) => control.getFunctionConfiguration(input),
    ListFunctions: (input) => control.listFunctions(input),
    ListTags: (input) => control.listTags(input),
    ListVersionsByFunction: (input) => control.listVersionsByFunction(input),
    PublishVersion: (input) => control.publishVersion(input),
    PutFunctionConcurrency: (input) => control.putFunctionConcurrency(input),
    TagResource: (input) => control.tagResource(input),
    UntagResource: (input) => control.untagResource(input),
    UpdateFunctionCode: (input) => control.updateFunctionCode(input),
    UpdateFunctionConfiguration: (input) => control.updateFunctionConfiguration(input),
  };
}
