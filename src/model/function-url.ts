/**
 * Function URLs, as control and data plane share them through the store.
 *
 * Documents (partition is always the function's name):
 *   collection 'function-url'  id QUALIFIER  FunctionUrlRecord; QUALIFIER is '$LATEST' or an alias's name
 */
import type { Cors, FunctionUrlAuthType, InvokeMode } from './generated/api-types.ts';

export const functionUrlCollections = { functionUrl: 'function-url' } as const;

/** Lower-case letters and digits in a URL's id. */
export const FUNCTION_URL_ID_LENGTH = 32;

export interface FunctionUrlRecord {
  /** Unique, and the same for as long as the URL is there: the first label of its host. */
  readonly urlId: string;
  readonly authType: FunctionUrlAuthType;
  readonly invokeMode: InvokeMode;
  /** As it was given; has at least one origin. Absent when the URL adds no CORS headers. */
  readonly cors?: Cors;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly lastModified: string;
}

/**
 * Where clients find a URL: `http://URL-ID.lambda-url.REGION.NAME:PORT/`. NAME is what the client called
 * this server in `baseUrl` ('http://HOST:PORT'), or `localhost` if that is an address, which can have
 * no names below it.
 */
export function functionUrlAt(
  baseUrl: string,
  { urlId, region }: { readonly urlId: string; readonly region: string },
): string {
  const base = URL.parse(baseUrl);
  const name = base === null ? 'localhost' : nameOf(base.hostname);
  const port = base === null || base.port === '' ? '' : `:${base.port}`;
  return `http://${urlId}.lambda-url.${region}.${name}${port}/`;
}

/** A host that URL has parsed: addresses are in their usual form, in brackets if they are IPv6. */
function nameOf(hostname: string): string {
  const isAddress = hostname.startsWith('[') || /^[0-9.]+$/u.test(hostname);
  return isAddress || hostname.endsWith('.localhost') ? 'localhost' : hostname;
}
