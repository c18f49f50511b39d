/** Stored configurations as answers give them: which ARN, and which members an operation leaves out. */
import { functionArn } from '../../model/arn.ts';
import type { StoredConfiguration } from '../../model/function.ts';
import type { FunctionConfiguration } from '../../model/generated/api-types.ts';
import type { ControlSettings } from '../control-context.ts';
import { omitMembers } from '../omit-members.ts';

/** As GetFunctionConfiguration answers; the ARN has a qualifier when the request had one. */
export function renderConfiguration(
  configuration: StoredConfiguration,
  settings: ControlSettings,
  qualifier?: string,
): FunctionConfiguration {
  const arn = functionArn(settings, configuration.FunctionName, qualifier);
  return { ...configuration, FunctionArn: arn };
}

/** What was just made, a function or a version, has no update status: there was no update yet. */
export function withoutUpdateStatus(configuration: FunctionConfiguration): FunctionConfiguration {
  return omitMembers(configuration, [
    'LastUpdateStatus',
    'LastUpdateStatusReason',
    'LastUpdateStatusReasonCode',
  ]);
}

/** Lists leave out states and the runtime version (API page of ListFunctions). */
export function renderListEntry(configuration: FunctionConfiguration): FunctionConfiguration {
  return omitMembers(withoutUpdateStatus(configuration), [
    'State',
    'StateReason',
    'StateReasonCode',
    'RuntimeVersionConfig',
  ]);
}
