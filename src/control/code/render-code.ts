/** Where a code package can be had, as answers say it. */
import type { CodeReference } from '../../model/function.ts';
import type { ResolvedS3Object } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';

/**
 * A link, or the object that the code was left in, which has none (radkawar/stackd docs/lambda.md).
 * `baseUrl` is where the client reached this server ('http://HOST:PORT'), for the link.
 */
export function renderLocation(
  { codeLocations }: ControlContext,
  { hash, s3Object }: CodeReference,
  baseUrl: string,
): { Location: string } | { ResolvedS3Object: ResolvedS3Object } {
  if (s3Object === undefined) return { Location: codeLocations.urlFor(baseUrl, hash) };
  const { bucket: S3Bucket, key: S3Key, version: S3ObjectVersion } = s3Object;
  return { ResolvedS3Object: { S3Bucket, S3Key, S3ObjectVersion } };
}
