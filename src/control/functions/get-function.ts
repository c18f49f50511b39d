/** GetFunction and GetFunctionConfiguration: $LATEST or one version, with code link and tags. */
import type {
  FunctionConfiguration,
  GetFunctionConfigurationRequest,
  GetFunctionRequest,
  GetFunctionResponse,
} from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';
import { renderConcurrency } from '../concurrency/function-concurrency.ts';
import { requireVersion, resolveReference } from './function-documents.ts';
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
  const concurrency = renderConcurrency(record);
  return {
    Configuration: renderConfiguration(configuration, context.settings, reference.qualifier),
    Code: {
      RepositoryType: 'S3',
      Location: context.codeLocations.urlFor(baseUrl, code.hash),
      ...(sourceKmsKeyArn === undefined ? {} : { SourceKMSKeyArn: sourceKmsKeyArn }),
    },
    ...(Object.keys(record.tags).length === 0 ? {} : { Tags: { ...record.tags } }),
    ...(concurrency === undefined ? {} : { Concurrency: concurrency }),
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
