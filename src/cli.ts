/** The command line: flags in, exit status and readable text out. Everything else is main.ts. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  compileConfig,
  defaultEnvironmentsMax,
  projectFolder,
  type Config,
  type ServeFlags,
} from './config.ts';
import { listRuntimes, startHearth, sweep, type LogSink, type SweepReport } from './main.ts';

const launcher = join(projectFolder, 'hearth');

const program = new Command('hearth')
  .description('A self-hosted serverless compute engine that speaks the AWS Lambda API.')
  .version(readVersion())
  .showHelpAfterError()
  .addHelpText(
    'after',
    `
Examples:
  hearth serve                                  start on http://127.0.0.1:9600
  aws lambda list-functions --endpoint-url http://127.0.0.1:9600
  hearth runtimes                               what this host can run, and why not the rest`,
  );

addServeOptions(program.command('serve'))
  .description('Run the server in the foreground until SIGTERM or SIGINT.')
  .addHelpText(
    'after',
    `
Environment:
  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL   where code in buckets (S3Bucket, S3Key) is fetched from; credentials
                                          and region are found as by any AWS SDK`,
  )
  .action((flags: ServeFlags) => serve(flags));

addDataOption(program.command('sweep'))
  .description(
    'Remove what a killed server left on the host (processes, mounts, cgroups, network).',
  )
  .action((flags: Pick<ServeFlags, 'data'>) => runSweep(flags));

program
  .command('runtimes')
  .description('List the runtimes of the service, which of them run here, and why others do not.')
  .action(() => printRuntimes());

function addDataOption(command: Command): Command {
  return command.option('--data <folder>', 'folder that holds all state', './.hearth');
}

function addServeOptions(command: Command): Command {
  return addDataOption(command)
    .option('--port <number>', 'port to listen on; 0 takes any free one', wholeNumber, 9600)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option(
        '--sandbox <driver>',
        'how functions are isolated; auto takes the strongest that works',
      )
        .choices(['auto', 'process', 'oci'])
        .default('auto'),
    )
    .option('--runtime-path <path>', 'OCI runtime for --sandbox oci (default: runc on the PATH)')
    .option('--region <name>', 'region in ARNs and in the functions’ environment', 'us-east-1')
    .addOption(
      new Option('--auth <mode>', 'who may call; off accepts any credentials')
        .choices(['off'])
        .default('off'),
    )
    .option('--insecure', 'allow --auth off on an address that others can reach', false)
    .option(
      '--pool-size <number>',
      'sandboxes booted in advance, per runtime in use, at most; how many follows demand',
      wholeNumber,
      8,
    )
    .option(
      '--memory-budget-mb <number>',
      'memory that functions may claim together (default: 80 % of the host’s)',
      wholeNumber,
    )
    .option(
      '--environments-max <number>',
      'execution environments at once',
      wholeNumber,
      defaultEnvironmentsMax(),
    )
    .option(
      '--idle-seconds <number>',
      'stop an environment that was idle for so long',
      wholeNumber,
      600,
    )
    .option(
      '--environment-lifetime-seconds <number>',
      'replace an environment that is so old, or somewhat younger',
      wholeNumber,
      4 * 60 * 60,
    )
    .option(
      '--account-concurrency <number>',
      'invocations at once, of all functions together (default: 1000)',
      wholeNumber,
    )
    .option(
      '--scaling-rate <number>',
      'new environments of one function in ten seconds (default: 1000)',
      wholeNumber,
    )
    .option(
      '--enforce-runtime-deprecation',
      'refuse to create and update functions of runtimes past the service’s dates, of those that run here, too',
      false,
    )
    .option(
      '--code-storage-mb <number>',
      'all code packages and layers together, zipped (default: 76800)',
      wholeNumber,
    )
    .option(
      '--code-zipped-mb <number>',
      'a .zip archive sent in a request (default: 50)',
      wholeNumber,
    )
    .option(
      '--code-unzipped-mb <number>',
      'a function’s code with its layers, unpacked (default: 250)',
      wholeNumber,
    )
    .option(
      '--environment-kb <number>',
      'a function’s environment variables (default: 4)',
      wholeNumber,
    )
    .option('--layers-max <number>', 'layers of one function (default: 5)', wholeNumber)
    .option(
      '--settle-delay-ms <number>',
      'how long functions stay Pending, and updates InProgress, at least (default: 0)',
      wholeNumber,
    )
    .option('--function-logs', 'print what functions log on standard error', false)
    .addOption(
      new Option('--log-level <level>', 'the server’s own log, JSON lines on standard error')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    );
}

async function serve(flags: ServeFlags): Promise<void> {
  const config = compileConfig(flags);
  const stop = stopRequest();
  const hearth = await startHearth(config, {
    logSink: config.functionLogs ? printFunctionLogs : undefined,
    sweepCommand: sweepCommand(config),
    onFailure: (error) => {
      print(`hearth: ${error.message}`);
      process.exitCode = 1;
      stop.ask();
    },
  });
  for (const notice of hearth.notices) print(`note: ${notice}`);
  const swept = describeSweep(hearth.swept);
  if (swept !== '') print(`removed what an earlier server left behind: ${swept}`);
  print(`sandbox: ${hearth.driverName}, data: ${config.dataFolder}`);
  process.stdout.write(`hearth ready ${hearth.url}\n`);
  await stop.asked;
  await hearth.stop();
}

/** `asked` resolves at the first SIGTERM or SIGINT, or `ask`; a second signal ends the process at once. */
function stopRequest(): { asked: Promise<void>; ask: () => void } {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  let signalled = false;
  const onSignal = (): void => {
    if (signalled) process.exit(1);
    signalled = true;
    print('stopping: requests in flight finish first; once more to stop at once');
    ask();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { asked, ask };
}

async function runSweep({ data }: Pick<ServeFlags, 'data'>): Promise<void> {
  try {
    const swept = describeSweep(await sweep(resolve(data)));
    print(swept === '' ? 'nothing was left behind' : `removed: ${swept}`);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'FolderLockedError') throw error;
    print('a server is running on this data folder: nothing to sweep');
  }
}

function sweepCommand(config: Config): [string, ...string[]] {
  return [launcher, 'sweep', '--data', config.dataFolder];
}

function describeSweep(report: SweepReport): string {
  return Object.entries(report)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what === 'networkDevices' ? 'network devices' : what}`)
    .join(', ');
}

function printRuntimes(): void {
  for (const entry of listRuntimes()) {
    const state = entry.available ? `yes  ${entry.runtime.version}` : `no   ${entry.reason}`;
    process.stdout.write(`${entry.id.padEnd(18)}${state}\n`);
  }
}

const printFunctionLogs: LogSink = ({ logGroup }, bytes) => {
  for (const line of bytes.toString().split('\n')) {
    if (line !== '') print(`${logGroup}  ${line}`);
  }
};

function print(text: string): void {
  process.stderr.write(`${text}\n`);
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number.');
}

function readVersion(): string {
  const text = readFileSync(join(projectFolder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Errors whose message is written for the user; of any other the stack is worth showing. */
const userErrors: readonly string[] = [
  'ConfigError',
  'FolderLockedError',
  'StoreError',
  'SandboxDriverError',
];

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return `${error.message}: another program has this port; choose one with --port`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${error.message}: it is not an address of this machine; choose one with --host`;
  if (code === 'EACCES' && error.message.startsWith('listen'))
    return `${error.message}: ports below 1024 need privileges; choose one with --port`;
  return userErrors.includes(error.name) ? error.message : (error.stack ?? error.message);
}

// Whoever read what we print may have gone: the server's work, and its orderly end, do not depend on it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  print(`hearth: ${describeError(error)}`);
  process.exitCode = 1;
}
