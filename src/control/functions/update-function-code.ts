/** UpdateFunctionCode: another code package for $LATEST; a dry run checks all and writes nothing. */
import type {
  FunctionConfiguration,
  UpdateFunctionCodeRequest,
} from '../../model/generated/api-types.ts';
import {
  layersOf,
  sourceKeyOf,
  storedBytesOf,
  type FunctionRecord,
  type PackageReference,
  type VersionRecord,
} from '../../model/function.ts';
import { checkCodeFits } from '../../model/layer-rules.ts';
import { checkPackageCode } from '../../model/package-rules.ts';
import { changeLatest, checkChangeable, previewChange } from './change-latest.ts';
import { checkPackageSource, stagePackage } from '../code/code-package.ts';
import { packageSourceOf } from '../code/code-source.ts';
import { checkNewCode, logUnsigned } from '../code-signing/check-deployment.ts';
import type { ControlContext } from '../control-context.ts';
import { checkRuntime, codeMembers, notSupported } from './function-configuration.ts';
import { requireFunction, resolveUnqualified } from './function-documents.ts';
import { omitMembers } from '../omit-members.ts';

export async function updateFunctionCode(
  context: ControlContext,
  input: UpdateFunctionCodeRequest,
): Promise<FunctionConfiguration> {
  const reference = resolveUnqualified(context, input.FunctionName);
  if (input.PublishTo !== undefined) throw notSupported('PublishTo');
  const present = await requireFunction(context, reference);
  // Refused before the code is taken in; the commit checks again.
  checkChangeable(present.value, input.RevisionId);
  const { functionName } = reference;
  const check = (record: FunctionRecord) => {
    checkPackageCode(record.latest.configuration.PackageType, input);
    return checkNewCode(context, functionName, record);
  };
  const policy = await check(present.value);
  const source = packageSourceOf(input);
  checkRuntime(context, present.value.latest.configuration.Runtime, 'update');
  const changeTo = (code: PackageReference) => (latest: VersionRecord) => {
    const layers = layersOf(latest);
    checkCodeFits(code, layers, context.settings);
    const { Architectures } = input;
    return {
      code,
      layers,
      ...sourceKeyOf(input.SourceKMSKeyArn),
      configuration: {
        ...omitMembers(latest.configuration, ['CodeSha256']),
        ...codeMembers(code),
        ...(Architectures === undefined ? {} : { Architectures }),
      },
    };
  };
  const revisionId = input.RevisionId;
  if (input.DryRun === true) {
    const change = changeTo(await checkPackageSource(context, source));
    return previewChange(context, present, { change, revisionId });
  }
  const publish = input.Publish === true;
  const staged = await stagePackage(context, source, {
    copies: publish ? 2 : 1,
    replacedBytes: storedBytesOf(present.value.latest.code),
  });
  try {
    const change = changeTo(staged.code);
    const changed = await changeLatest(context, { reference, revisionId, publish, change, check });
    if (policy === 'Warn') logUnsigned(context, functionName);
    return changed;
  } finally {
    staged.release();
  }
}
