/**
 * What the CORS settings of a function URL may be, beyond the service model's lengths: guide page 006
 * and the API page of Cors.
 */
import { invalidParameterValue } from '../../model/errors.ts';
import type { Cors } from '../../model/generated/api-types.ts';
import { defined } from '../omit-members.ts';

/** A function URL answers OPTIONS itself: it cannot be listed. */
const methods: ReadonlySet<string> = new Set([
  'GET',
  'PUT',
  'POST',
  'DELETE',
  'HEAD',
  'PATCH',
  '*',
]);

/** SCHEME://HOST with a port or without; a path would match no browser's Origin. */
const originPattern = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$/iu;

/** A token of RFC 9110: anything else could not be sent in a header. */
const headerNamePattern = /^[!#$%&'*+.^_`|~0-9a-z-]+$/iu;

/**
 * The settings as they are stored; undefined for none of them, which is how UpdateFunctionUrlConfig
 * takes them away (go-to-k/cdkd, lambda-url-provider.ts, probed at the service). Throws
 * InvalidParameterValue for settings without origins, and for origins, methods and header names that can
 * never match.
 */
export function checkCors(cors: Cors): Cors | undefined {
  const settings: Cors = defined(cors);
  if (Object.keys(settings).length === 0) return undefined;
  checkOrigins(cors.AllowOrigins ?? []);
  if (!(cors.AllowMethods ?? []).every((method) => methods.has(method))) {
    // Quoted in psoxy #911.
    throw invalidParameterValue(
      'You can use GET, PUT, POST, DELETE, HEAD, PATCH, and the wildcard character (*).',
    );
  }
  checkHeaderNames('AllowHeaders', cors.AllowHeaders);
  checkHeaderNames('ExposeHeaders', cors.ExposeHeaders);
  return settings;
}

function checkOrigins(origins: readonly string[]): void {
  if (origins.length === 0) {
    // sst/ion #229
    throw invalidParameterValue("You can't leave AllowOrigins as empty when Cors is enabled.");
  }
  const wrong = origins.find((origin) => origin !== '*' && !originPattern.test(origin));
  if (wrong === undefined) return;
  throw invalidParameterValue(
    `The origin ${wrong} in AllowOrigins is invalid. You can use origins like https://www.example.com, and the wildcard character (*).`,
  );
}

function checkHeaderNames(
  member: 'AllowHeaders' | 'ExposeHeaders',
  names: readonly string[] = [],
): void {
  const wrong = names.find((name) => !headerNamePattern.test(name));
  if (wrong === undefined) return;
  throw invalidParameterValue(`The header name ${wrong} in ${member} is invalid.`);
}
