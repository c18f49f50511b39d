/**
 * Checks what an extension asks of the Telemetry or the Logs API. Values outside the bounds of guide
 * page 056 are refused, as AWS's runtime interface emulator does, and every fault is named at once.
 */
import { limits } from '../model/limits.ts';
import type {
  TelemetryDestination,
  TelemetryStreamType,
  TelemetrySubscription,
} from '../telemetry/telemetry-subscription.ts';
import { asJsonObject, parseJsonObject } from './json-body.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** The platform's own; see guide page 056. */
const reservedPort = 9001;
const portMax = 65_535;

const schemaVersions = {
  telemetry: ['2022-07-01', '2022-12-13', '2025-01-29'],
  logs: ['2020-08-15', '2021-03-18'],
} as const;
const streamTypes: readonly TelemetryStreamType[] = ['platform', 'function', 'extension'];
const hosts = ['sandbox.localdomain', 'sandbox'];

const bufferingBounds = {
  maxItems: {
    min: limits.telemetryBatchItemsMin,
    max: limits.telemetryBatchItemsMax,
    otherwise: limits.telemetryBatchItemsDefault,
  },
  maxBytes: {
    min: limits.telemetryBatchBytesMin,
    max: limits.telemetryBatchBytesMax,
    otherwise: limits.telemetryBatchBytesDefault,
  },
  timeoutMs: {
    min: limits.telemetryBatchTimeoutMsMin,
    max: limits.telemetryBatchTimeoutMsMax,
    otherwise: limits.telemetryBatchTimeoutMsDefault,
  },
} as const;

/** The subscription, or what is wrong with the request: one sentence for each fault. */
export function parseSubscription(
  api: TelemetrySubscription['api'],
  body: Buffer,
): { readonly subscription: TelemetrySubscription } | { readonly faults: readonly string[] } {
  const document = parseJsonObject(body);
  if (document === null) return { faults: ['The body is not a JSON object'] };
  const faults: string[] = [];
  const schemaVersion = readSchemaVersion(api, document, faults);
  const types = readTypes(document, faults);
  const buffering = readBuffering(document, faults);
  const destination = readDestination(api, document, faults);
  if (faults.length > 0 || destination === null) return { faults };
  return { subscription: { api, schemaVersion, types, ...buffering, destination } };
}

function readSchemaVersion(
  api: TelemetrySubscription['api'],
  { schemaVersion }: JsonObject,
  faults: string[],
): string {
  const known: readonly string[] = schemaVersions[api];
  if (schemaVersion === undefined && api === 'logs') return schemaVersions.logs[0];
  if (typeof schemaVersion === 'string' && known.includes(schemaVersion)) return schemaVersion;
  faults.push(`schemaVersion should be one of ${known.join(', ')}`);
  return '';
}

function readTypes({ types }: JsonObject, faults: string[]): readonly TelemetryStreamType[] {
  if (!Array.isArray(types) || types.length === 0) {
    faults.push('types should not be empty');
    return [];
  }
  const asked = new Set<unknown>(types);
  const wanted = streamTypes.filter((type) => asked.has(type));
  if (wanted.length < asked.size) faults.push(`types should be of ${streamTypes.join(', ')}`);
  return wanted;
}

function readBuffering(
  { buffering = {} }: JsonObject,
  faults: string[],
): Pick<TelemetrySubscription, 'maxItems' | 'maxBytes' | 'timeoutMs'> {
  const given = asJsonObject(buffering);
  if (given === null) faults.push('buffering should be an object');
  const read = (name: keyof typeof bufferingBounds): number => {
    const { min, max, otherwise } = bufferingBounds[name];
    const value = given?.[name] ?? otherwise;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    faults.push(`buffering.${name} should be an integer from ${min} to ${max}`);
    return otherwise;
  };
  return { maxItems: read('maxItems'), maxBytes: read('maxBytes'), timeoutMs: read('timeoutMs') };
}

function readDestination(
  api: TelemetrySubscription['api'],
  document: JsonObject,
  faults: string[],
): TelemetryDestination | null {
  const destination = asJsonObject(document['destination']);
  if (destination === null) {
    faults.push('destination should be an object');
    return null;
  }
  const method = api === 'logs' ? readMethod(destination, faults) : 'POST';
  switch (destination['protocol']) {
    case 'HTTP': {
      const address = readAddress(destination, faults);
      return address === null ? null : { protocol: 'HTTP', method, ...address };
    }
    case 'TCP': {
      const port = readPort(destination['port'], faults);
      return port === null ? null : { protocol: 'TCP', method, port, path: '/' };
    }
    default:
      faults.push('destination.protocol should be HTTP or TCP');
      return null;
  }
}

/** Of the Logs API only, with the one encoding that there is. */
function readMethod(
  { method = 'POST', encoding = 'JSON' }: JsonObject,
  faults: string[],
): TelemetryDestination['method'] {
  if (encoding !== 'JSON') faults.push('destination.encoding should be JSON');
  if (method === 'POST' || method === 'PUT') return method;
  faults.push('destination.method should be PUT or POST');
  return 'POST';
}

/** From `http://sandbox.localdomain:PORT/PATH`: nobody outside the environment is told anything. */
function readAddress(
  { URI: uri }: JsonObject,
  faults: string[],
): { readonly port: number; readonly path: string } | null {
  if (typeof uri !== 'string' || !URL.canParse(uri)) {
    faults.push('destination.URI should be a URI');
    return null;
  }
  const { protocol, hostname, pathname, search } = new URL(uri);
  if (protocol !== 'http:') faults.push('URI scheme should be http');
  if (!hosts.includes(hostname)) faults.push(`URI host should be ${hosts[0]}`);
  // URL leaves a scheme's usual port out.
  const [, digits] = /^[^/]*\/\/[^/?#]*:(\d+)(?:[/?#]|$)/.exec(uri) ?? [];
  if (digits === undefined) {
    faults.push('URI port is not provided');
    return null;
  }
  const port = readPort(Number(digits), faults);
  return port === null ? null : { port, path: `${pathname}${search}` };
}

function readPort(port: unknown, faults: string[]): number | null {
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > portMax) {
    faults.push(`port should be an integer from 1 to ${portMax}`);
  } else if (port === reservedPort) {
    faults.push(`port ${reservedPort} is reserved`);
  } else {
    return port;
  }
  return null;
}
