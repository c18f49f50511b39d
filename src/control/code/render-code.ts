/** Where a code package can be had, as answers say it. */
import type { CodeReference } from '../../model/function.ts';
import type { ResolvedS3Object } from '../../model/generated/api-types.ts';
import type { ControlContext } from '../control-context.ts';

/** `baseUrl` is where the client reached this server ('http://HOST:PORT'), for the link. */
export function renderLocation(
  { codeLocations }: ControlContext,
  { hash, s3Object }: CodeReference,
  baseUrl: string,
): { Location: string; ResolvedS3Object?: ResolvedS3Object } {
  const Location = codeLocations.urlFor(baseUrl, hash);
  if (s3Object === undefined) return { Location };
  const { bucket: S3Bucket, key: S3Key, version: S3ObjectVersion } = s3Object;
  return { Location, ResolvedS3Object: { S3Bucket, S3Key, S3ObjectVersion } };
}
