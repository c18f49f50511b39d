/** GetFunction and GetFunctionConfiguration: $LATEST or one version, with code link and tags. */
import { isImage, type FunctionRecord, type ImageReference } from '../../model/function.ts';
import type {
  FunctionCodeLocation,
  FunctionConfiguration,
  GetFunctionConfigurationRequest,
  GetFunctionRequest,
  GetFunctionResponse,
} from '../../model/generated/api-types.ts';
import { resolvedImage } from '../../model/image-uri.ts';
import type { ControlContext } from '../control-context.ts';
import { renderLocation } from '../code/render-code.ts';
import { renderConcurrency } from '../concurrency/function-concurrency.ts';
import { requireVersion, resolveReference } from './function-documents.ts';
import { defined } from '../omit-members.ts';
import { renderConfiguration } from './render-configuration.ts';

/** `baseUrl` is where the client reached this server ('http://HOST:PORT'), for the code's link. */
export async function getFunction(
  context: ControlContext,
  input: GetFunctionRequest,
  { baseUrl }: { readonly baseUrl: string },
): Promise<GetFunctionResponse> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const { record, version } = await requireVersion(context, reference);
  const { configuration, code, sourceKmsKeyArn } = version;
  // Tags and reserve are the function's: they are left out when a version or $LATEST is asked for by
  // name (radkawar/stackd docs/lambda.md; terraform-provider-aws #31497, #43753).
  const whole = reference.qualifier === undefined ? wholeMembers(record) : {};
  return {
    Configuration: renderConfiguration(configuration, context.settings, reference.qualifier),
    Code: isImage(code)
      ? imageLocation(code)
      : {
          RepositoryType: 'S3',
          ...renderLocation(context, code, baseUrl),
          ...(sourceKmsKeyArn === undefined ? {} : { SourceKMSKeyArn: sourceKmsKeyArn }),
        },
    ...whole,
  };
}

function wholeMembers(record: FunctionRecord): Pick<GetFunctionResponse, 'Tags' | 'Concurrency'> {
  const Tags = Object.keys(record.tags).length === 0 ? undefined : { ...record.tags };
  return defined({ Tags, Concurrency: renderConcurrency(record) });
}

/** What a tag stands for is its registry's to say: only addresses with a digest are resolved here. */
function imageLocation({ imageUri }: ImageReference): FunctionCodeLocation {
  const resolved = resolvedImage(imageUri);
  return {
    RepositoryType: 'ECR',
    ImageUri: imageUri,
    ...(resolved === undefined ? {} : { ResolvedImageUri: resolved.uri }),
  };
}

export async function getFunctionConfiguration(
  context: ControlContext,
  input: GetFunctionConfigurationRequest,
): Promise<FunctionConfiguration> {
  const reference = resolveReference(context, input.FunctionName, input.Qualifier);
  const { version } = await requireVersion(context, reference);
  return renderConfiguration(version.configuration, context.settings, reference.qualifier);
}
