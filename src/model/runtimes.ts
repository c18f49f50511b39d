/**
 * Runtime identifiers with their life-cycle dates (runtime life-cycle page; spec part B 6.2, 6.3):
 * creating and updating functions of a deprecated runtime is refused from two separate dates on.
 */
import type { Runtime } from './generated/api-types.ts';

interface RuntimeDates {
  /** First day (UTC) on which functions can no longer be created; none where not scheduled. */
  readonly blockCreate?: string;
  /** First day (UTC) on which functions can no longer be updated; none where not scheduled. */
  readonly blockUpdate?: string;
  /** What the refusal recommends; none where the language has no managed runtime any more. */
  readonly replacement?: Runtime;
}

const newest = {
  nodejs: 'nodejs24.x',
  python: 'python3.14',
  java: 'java25',
  dotnet: 'dotnet10',
  ruby: 'ruby3.4',
  provided: 'provided.al2023',
} as const satisfies Record<string, Runtime>;

function dates(blockCreate: string, blockUpdate: string, replacement: Runtime): RuntimeDates {
  return { blockCreate, blockUpdate, replacement };
}

const unscheduled: RuntimeDates = {};

/** Every identifier of the service model. Dates of the newest ones are not known yet. */
export const runtimes: Readonly<Record<Runtime, RuntimeDates>> = {
  nodejs: dates('2016-09-30', '2016-10-31', newest.nodejs),
  'nodejs4.3': dates('2020-02-03', '2020-03-05', newest.nodejs),
  'nodejs4.3-edge': dates('2019-03-31', '2019-04-30', newest.nodejs),
  'nodejs6.10': dates('2019-07-12', '2019-08-12', newest.nodejs),
  'nodejs8.10': dates('2020-02-04', '2020-03-06', newest.nodejs),
  'nodejs10.x': dates('2021-07-30', '2022-02-14', newest.nodejs),
  'nodejs12.x': dates('2023-03-31', '2023-04-30', newest.nodejs),
  'nodejs14.x': dates('2024-01-09', '2025-11-01', newest.nodejs),
  'nodejs16.x': dates('2025-10-01', '2025-11-01', newest.nodejs),
  'nodejs18.x': dates('2025-10-01', '2025-11-01', newest.nodejs),
  'nodejs20.x': dates('2026-06-01', '2026-07-01', newest.nodejs),
  'nodejs22.x': dates('2027-06-01', '2027-07-01', newest.nodejs),
  'nodejs24.x': unscheduled,
  'nodejs26.x': unscheduled,
  'python2.7': dates('2021-07-15', '2022-05-30', newest.python),
  'python3.6': dates('2022-07-18', '2022-08-29', newest.python),
  'python3.7': dates('2024-01-09', '2025-11-01', newest.python),
  'python3.8': dates('2025-10-01', '2025-11-01', newest.python),
  'python3.9': dates('2025-12-08', '2026-01-08', newest.python),
  'python3.10': dates('2026-07-31', '2026-08-31', newest.python),
  'python3.11': dates('2026-07-31', '2026-08-31', newest.python),
  'python3.12': dates('2028-11-30', '2029-01-10', newest.python),
  'python3.13': dates('2029-07-31', '2029-08-31', newest.python),
  'python3.14': unscheduled,
  'python3.15': unscheduled,
  java8: dates('2024-02-08', '2025-11-01', newest.java),
  'java8.al2': dates('2026-07-31', '2026-08-31', newest.java),
  'java8.al2023': unscheduled,
  java11: dates('2026-07-31', '2026-08-31', newest.java),
  'java11.al2023': unscheduled,
  java17: dates('2026-07-31', '2026-08-31', newest.java),
  'java17.al2023': unscheduled,
  java21: dates('2029-07-31', '2029-08-31', newest.java),
  java25: unscheduled,
  'dotnetcore1.0': dates('2019-06-30', '2019-07-30', newest.dotnet),
  'dotnetcore2.0': dates('2019-04-30', '2019-05-30', newest.dotnet),
  'dotnetcore2.1': dates('2022-01-05', '2022-04-13', newest.dotnet),
  'dotnetcore3.1': dates('2023-04-03', '2023-05-03', newest.dotnet),
  dotnet6: dates('2025-10-01', '2025-11-01', newest.dotnet),
  dotnet8: dates('2026-12-10', '2027-01-11', newest.dotnet),
  dotnet10: unscheduled,
  'go1.x': dates('2024-02-08', '2025-11-01', newest.provided),
  'ruby2.5': dates('2021-07-30', '2022-03-31', newest.ruby),
  'ruby2.7': dates('2024-01-09', '2025-11-01', newest.ruby),
  'ruby3.2': dates('2026-04-30', '2026-05-31', newest.ruby),
  'ruby3.3': dates('2027-04-30', '2027-05-31', newest.ruby),
  'ruby3.4': unscheduled,
  'ruby4.0': unscheduled,
  provided: dates('2024-02-08', '2025-11-01', newest.provided),
  'provided.al2': dates('2026-07-31', '2026-08-31', newest.provided),
  'provided.al2023': dates('2029-07-31', '2029-08-31', newest.provided),
};

/** What this server runs where it finds the language; the others it knows by name only. */
export const offeredRuntimes = [
  ...['nodejs18.x', 'nodejs20.x', 'nodejs22.x', 'nodejs24.x'],
  ...['python3.9', 'python3.10', 'python3.11', 'python3.12', 'python3.13', 'python3.14'],
  ...['java11', 'java17', 'java21', 'java25'],
  ...['ruby3.2', 'ruby3.3', 'ruby3.4'],
  ...['dotnet8', 'dotnet10'],
  ...['provided.al2', 'provided.al2023'],
] as const satisfies readonly Runtime[];

/** SnapStart exists for Java from 11, Python from 3.12 and .NET from 8 on (runtimes page). */
const snapStartRuntimes = /^(?:java(?:11|17|21|25)|python3\.1[2-9]|dotnet(?:8|10))(?:\.|$)/u;

/** Whether published versions of a runtime's functions can start from a snapshot. */
export function hasSnapStart(runtime: Runtime): boolean {
  return snapStartRuntimes.test(runtime);
}

export function isOffered(runtime: Runtime): boolean {
  return (offeredRuntimes as readonly Runtime[]).includes(runtime);
}

/** Whether the service no longer creates or updates functions of a runtime at a time. */
export function isRuntimeBlocked(
  runtime: Runtime,
  change: 'create' | 'update',
  nowMs: number,
): boolean {
  const { blockCreate, blockUpdate } = runtimes[runtime];
  const since = change === 'create' ? blockCreate : blockUpdate;
  return since !== undefined && nowMs >= Date.parse(since);
}
