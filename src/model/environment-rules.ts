/** Rules of a function's environment variables that the service model does not hold (guide page 001). */
import { invalidParameterValue } from './errors.ts';
import { KIB } from './limits.ts';
import { defaultQuotas, type Quotas } from './quotas.ts';

/** Set by the platform; a request that names one is refused. */
export const reservedVariables: ReadonlySet<string> = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]);

/**
 * Throws InvalidParameterValue for reserved names and for more than the quota, 4 KB. What is measured is the
 * map as JSON, as the service's own refusal shows ("String measured").
 */
export function checkEnvironment(
  variables: Readonly<Record<string, string>>,
  { environmentBytesMax }: Pick<Quotas, 'environmentBytesMax'> = defaultQuotas,
): void {
  const reserved = Object.keys(variables).filter((name) => reservedVariables.has(name));
  if (reserved.length > 0) {
    throw invalidParameterValue(
      'Lambda was unable to configure your environment variables because the environment variables ' +
        'you have provided contains reserved keys that are currently not supported for modification. ' +
        `Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  const measured = JSON.stringify(variables);
  if (new TextEncoder().encode(measured).length > environmentBytesMax) {
    throw invalidParameterValue(
      'Lambda was unable to configure your environment variables because the environment variables ' +
        `you have provided exceeded the ${environmentBytesMax / KIB}KB limit. String measured: ${measured}`,
    );
  }
}
