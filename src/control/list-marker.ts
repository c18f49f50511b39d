/** Page sizes and the opaque markers of listings: where the page before ended. */
import { invalidParameterValue, type ApiError } from '../model/errors.ts';

/** Functions, layers or versions on one page, also when more are asked for (API page of ListFunctions). */
export const PAGE_ITEMS_MAX = 50;

/** Aliases on one page: the most that can be asked for, as 53 came at once (radkawar/stackd docs/lambda.md). */
export const ALIAS_PAGE_ITEMS_MAX = 10_000;

/** Event source mappings on one page (documentation of ListEventSourceMappings). */
export const MAPPING_PAGE_ITEMS_MAX = 100;

export interface Position {
  readonly functionName: string;
  /** '$LATEST' or a number. */
  readonly version: string;
}

export function pageSizeOf(maxItems: number | undefined, pageMax = PAGE_ITEMS_MAX): number {
  return Math.min(maxItems ?? pageMax, pageMax);
}

/** The part of a listing that is answered. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Member of the answer; absent on the last page. */
  readonly next: { readonly NextMarker?: string };
}

/** One page of what was found, which is one more than fits if there is a next page. */
export function pageOf<Item>(
  found: readonly Item[],
  pageSize: number,
  renderLast: (last: Item) => string,
): Page<Item> {
  const items = found.slice(0, pageSize);
  const last = items.at(-1);
  const hasMore = found.length > pageSize && last !== undefined;
  return { items, next: hasMore ? { NextMarker: renderLast(last) } : {} };
}

/** Where a listing of layers, or of one layer's versions, ended. */
export interface LayerPosition {
  readonly layerName: string;
  readonly version: number;
}

export function renderLayerMarker({ layerName, version }: LayerPosition): string {
  return renderMarker({ functionName: layerName, version: String(version) });
}

/** As parseMarker. */
export function parseLayerMarker(marker: string | undefined): LayerPosition | undefined {
  const position = parseMarker(marker);
  if (position === undefined) return undefined;
  const version = Number(position.version);
  if (Number.isNaN(version)) throw unknownMarker();
  return { layerName: position.functionName, version };
}

export function renderMarker({ functionName, version }: Position): string {
  return Buffer.from(`${functionName}:${version}`).toString('base64url');
}

/** Undefined for no marker; throws InvalidParameterValue for one that no listing gave. */
export function parseMarker(marker: string | undefined): Position | undefined {
  if (marker === undefined || marker === '') return undefined;
  const text = Buffer.from(marker, 'base64url').toString('utf8');
  const match = /^([a-zA-Z0-9-_.]{1,256}):(\$LATEST|[1-9][0-9]{0,9})$/.exec(text);
  const [, functionName, version] = match ?? [];
  if (functionName === undefined || version === undefined) {
    throw unknownMarker();
  }
  return { functionName, version };
}

/** Where a listing of one function's aliases or qualifiers ended. */
export function renderQualifierMarker(functionName: string, qualifier: string): string {
  return renderScopedMarker(functionName, qualifier);
}

/** As parseMarker, for a listing of this function alone. */
export function parseQualifierMarker(
  marker: string | undefined,
  functionName: string,
): string | undefined {
  return parseScopedMarker(marker, functionName);
}

/** Where a listing ended: `scope` says which listing it was, `last` the name or id that came last. */
export function renderScopedMarker(scope: string, last: string): string {
  return Buffer.from(`${scope}:${last}`).toString('base64url');
}

/** As parseMarker, for a listing of this scope alone. */
export function parseScopedMarker(marker: string | undefined, scope: string): string | undefined {
  if (marker === undefined || marker === '') return undefined;
  const text = Buffer.from(marker, 'base64url').toString('utf8');
  const match = /^([a-zA-Z0-9-_.]{1,256}):(\$LATEST|[a-zA-Z0-9-_]{1,128})$/.exec(text);
  const [, ofScope, last] = match ?? [];
  if (ofScope !== scope || last === undefined) throw unknownMarker();
  return last;
}

/** Where a listing of event source mappings ended: the last one's UUID. */
export function renderMappingMarker(uuid: string): string {
  return Buffer.from(uuid).toString('base64url');
}

/** As parseMarker. */
export function parseMappingMarker(marker: string | undefined): string | undefined {
  if (marker === undefined || marker === '') return undefined;
  const uuid = Buffer.from(marker, 'base64url').toString('utf8');
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) throw unknownMarker();
  return uuid;
}

function unknownMarker(): ApiError {
  return invalidParameterValue('The marker is not one that a listing gave.');
}
