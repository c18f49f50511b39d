/** Addresses of container images: REGISTRY/NAME, then a tag, a digest or both. */
import { invalidParameterValue } from './errors.ts';

const imageUriPattern =
  /^(?<repository>[a-z0-9][a-z0-9.-]*(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)(?::\w[\w.-]{0,127})?(?:@sha256:(?<digest>[0-9a-f]{64}))?$/;
/** Far more than registries allow. */
const imageUriLengthMax = 1024;

/** Throws InvalidParameterValue, in the service's words (modernisation-platform #2419). */
export function checkImageUri(uri: string): void {
  if (uri.length <= imageUriLengthMax && imageUriPattern.test(uri)) return;
  throw invalidParameterValue(`Source image ${uri} is not valid. Provide a valid source image.`);
}

export interface ResolvedImage {
  /** REPOSITORY@sha256:DIGEST. */
  readonly uri: string;
  /** SHA-256 of the image's manifest, hexadecimal: the CodeSha256 of functions made from it. */
  readonly digest: string;
}

/** The one image that an address means, or undefined where only its registry knows: it has a tag at most. */
export function resolvedImage(imageUri: string): ResolvedImage | undefined {
  const { repository, digest } = imageUriPattern.exec(imageUri)?.groups ?? {};
  if (repository === undefined || digest === undefined) return undefined;
  return { uri: `${repository}@sha256:${digest}`, digest };
}
