/** Bodies of requests to an environment's HTTP APIs that have to be JSON objects. */
import { isUtf8 } from 'node:buffer';

/** Null when the bytes are something else. */
export function parseJsonObject(body: Buffer): Readonly<Record<string, unknown>> | null {
  if (!isUtf8(body)) return null;
  try {
    return asJsonObject(JSON.parse(body.toString()));
  } catch {
    return null;
  }
}

/** Null when the value is something else. */
export function asJsonObject(value: unknown): Readonly<Record<string, unknown>> | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { ...value } : null;
}
