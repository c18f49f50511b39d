/**
 * The AWS CLI, unmodified, with the command lines that its users type: functions, layers with an
 * extension and a wrapper, aliases, concurrency; tables and pages; and what it says to bad input.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsCli, missing } from './aws-cli.ts';
import { role, zip } from './functions.ts';
import { drivers, HearthProcess } from './hearth-process.ts';

const account = 'arn:aws:lambda:us-east-1:000000000000';
const create = `aws lambda create-function --runtime nodejs24.x --handler index.handler --role ${role}`;

const handlers = {
  echo: 'exports.handler = async (event) => ({ one: event });',
  two: "exports.handler = async () => 'two';",
  layered: `
const { greet } = require('greet');
exports.handler = async () => [greet('layer'), process.env.WRAPPED];`,
  kind: 'exports.handler = async () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE;',
};

const extension = new URL('../fixtures/extensions/teller.cjs', import.meta.url);
const wrapper = '#!/bin/sh\necho wrapping\nexport WRAPPED=yes\nexec "$@"\n';
const greet = "exports.greet = (name) => 'hello ' + name;";

/** Name of the exception, and a command line that is answered with it. */
const refused: readonly (readonly [string, string])[] = [
  ['ResourceNotFoundException', 'get-layer-version --layer-name tools --version-number 99'],
  ['ResourceNotFoundException', `get-layer-version-by-arn --arn ${account}:layer:tools:99`],
  ['ValidationException', 'get-layer-version-by-arn --arn tools:1'],
  ['ValidationException', "publish-layer-version --layer-name 'to ols' --zip-file fileb://two.zip"],
  ['InvalidParameterValueException', 'list-layers --marker nonsense'],
  ['ResourceNotFoundException', 'create-alias --function-name bad --name a --function-version 9'],
  ['ValidationException', "create-alias --function-name bad --name 7 --function-version '$LATEST'"],
  [
    'InvalidParameterValueException',
    "create-alias --function-name bad --name a --function-version '$LATEST' --routing-config AdditionalVersionWeights={1=0.5}",
  ],
  ['ResourceNotFoundException', 'update-alias --function-name bad --name none --description x'],
  ['ResourceNotFoundException', 'invoke --function-name bad:none out.json'],
  [
    'InvalidParameterValueException',
    'put-function-concurrency --function-name bad --reserved-concurrent-executions 901',
  ],
  [
    'InvalidParameterValueException',
    "put-provisioned-concurrency-config --function-name bad --qualifier '$LATEST' --provisioned-concurrent-executions 1",
  ],
  [
    'ResourceNotFoundException',
    'put-provisioned-concurrency-config --function-name bad --qualifier none --provisioned-concurrent-executions 1',
  ],
  [
    'InvalidParameterValueException',
    `update-function-configuration --function-name bad --layers ${account}:layer:none:1`,
  ],
];

const driver = drivers.at(-1) ?? 'process';
const skip = missing('aws', ['--version'], 'the AWS CLI');

describe(`the AWS CLI, on the ${driver} driver`, { skip }, () => {
  let hearth: HearthProcess;
  let folder: string;
  let cli: AwsCli;

  before(async () => {
    hearth = await HearthProcess.start({ driver });
    folder = await mkdtemp(join(tmpdir(), 'hearth-aws-cli-'));
    cli = new AwsCli(hearth.url, folder);
    for (const [name, text] of Object.entries(handlers)) {
      await writeFile(join(folder, `${name}.zip`), await zip({ 'index.js': text }));
    }
    const layer = await zip({
      'extensions/teller.cjs': { text: await readFile(extension), mode: 0o100755 },
      'bin/wrap': { text: wrapper, mode: 0o100755 },
      'nodejs/node_modules/greet/index.js': greet,
    });
    await writeFile(join(folder, 'layer.zip'), layer);
    await writeFile(join(folder, 'event.json'), '{"a":1}');
  });
  after(async () => {
    await hearth.stopAndRemove();
    await rm(folder, { recursive: true, force: true });
  });

  const output = (): Promise<string> => readFile(join(folder, 'out.json'), 'utf8');

  async function assertRefused(name: string, line: string): Promise<void> {
    const { status, stderr } = await cli.refusal(line);
    assert([254, 255].includes(status), `${line}: exit status ${status}`);
    assert.match(stderr, new RegExp(`An error occurred \\(${name}\\) when calling the`), line);
  }

  /** The SHA-256 of what a code location serves, as the service writes it. */
  async function sha256At(location: string): Promise<string> {
    const bytes = Buffer.from(await (await fetch(location)).arrayBuffer());
    return createHash('sha256').update(bytes).digest('base64');
  }

  test('deploys, invokes, versions, tags and deletes', async () => {
    const created = await cli.json(`${create} --function-name echo --zip-file fileb://echo.zip`);
    assert.equal(created['State'], 'Pending');
    await cli.text('aws lambda wait function-active-v2 --function-name echo');
    const invoke = 'aws lambda invoke --function-name echo --payload fileb://event.json';
    const answer = await cli.json(`${invoke} out.json`);
    assert.deepEqual(answer, { StatusCode: 200, ExecutedVersion: '$LATEST' });
    assert.equal(await output(), '{"one":{"a":1}}');

    const got = await cli.json<{ Code: { Location: string } }>(
      'aws lambda get-function --function-name echo',
    );
    assert.equal(await sha256At(got.Code.Location), created['CodeSha256']);

    const published = await cli.json('aws lambda publish-version --function-name echo');
    assert.equal(published['Version'], '1');
    const update =
      'aws lambda update-function-code --function-name echo --zip-file fileb://two.zip';
    const dry = await cli.json(`${update} --dry-run`);
    assert.notEqual(dry['CodeSha256'], created['CodeSha256']);
    const configuration = 'aws lambda get-function-configuration --function-name echo';
    assert.equal((await cli.json(configuration))['CodeSha256'], created['CodeSha256']);
    await cli.text(update);
    await cli.text('aws lambda wait function-updated-v2 --function-name echo');
    await cli.text(`${invoke} out.json`);
    assert.equal(await output(), '"two"');
    await cli.text(`${invoke} --qualifier 1 out.json`);
    assert.equal(await output(), '{"one":{"a":1}}');

    await cli.text('aws lambda update-function-configuration --function-name echo --timeout 9');
    await cli.text('aws lambda wait function-updated-v2 --function-name echo');
    assert.equal(await cli.text(`${configuration} --query Timeout`), '9\n');
    const arn = String(created['FunctionArn']);
    await cli.text(`aws lambda tag-resource --resource ${arn} --tags stage=test,team=a`);
    await cli.text(`aws lambda untag-resource --resource ${arn} --tag-keys team`);
    const tags = await cli.text(`aws lambda list-tags --resource ${arn} --output text`);
    assert.equal(tags, 'TAGS\ttest\n');
    await cli.text(
      'aws lambda add-permission --function-name echo:1 --statement-id all ' +
        "--action lambda:InvokeFunction --principal '*'",
    );
    const policy = 'aws lambda get-policy --function-name echo --qualifier 1';
    assert.match(await cli.text(`${policy} --query Policy --output text`), /"Sid":"all"/);
    await cli.text('aws lambda remove-permission --function-name echo:1 --statement-id all');
    await assertRefused('ResourceNotFoundException', policy);
    const versions =
      "aws lambda list-versions-by-function --function-name echo --query 'Versions[].Version'";
    assert.match(await cli.text(`${versions} --page-size 1 --output text`), /^\$LATEST\s+1$/m);
    const listed = await cli.text('aws lambda list-functions --output table');
    assert.match(listed, /\|\| +FunctionName *\| +echo +\|\|/);
    assert('AccountLimit' in (await cli.json('aws lambda get-account-settings')));
    await cli.text('aws lambda delete-function --function-name echo');
    await assertRefused(
      'ResourceNotFoundException',
      'aws lambda get-function --function-name echo',
    );
  });

  test('publishes, lists, shares and deletes layers', async () => {
    const publish = 'aws lambda publish-layer-version --zip-file fileb://layer.zip --layer-name';
    const first = await cli.json(
      `${publish} tools --description 'shared tools' --license-info MIT ` +
        '--compatible-runtimes nodejs22.x nodejs24.x --compatible-architectures x86_64 arm64',
    );
    assert.equal(first['LayerVersionArn'], `${account}:layer:tools:1`);
    assert.equal(first['Description'], 'shared tools');
    const second = await cli.json(`${publish} tools --compatible-runtimes nodejs24.x`);
    assert.equal(second['Version'], 2);
    await cli.text(`${publish} other`);

    const get = 'aws lambda get-layer-version --layer-name tools --version-number 1';
    const got = await cli.json<{ Content: { Location: string; CodeSha256: string } }>(get);
    assert.equal(await sha256At(got.Content.Location), got.Content.CodeSha256);
    const byArn = `aws lambda get-layer-version-by-arn --arn ${account}:layer:tools:2`;
    assert.equal((await cli.json(byArn))['Version'], 2);

    const list = "aws lambda list-layers --query 'Layers[].LayerName' --output text";
    assert.match(await cli.text(`${list} --page-size 1`), /^other\s+tools$/m);
    const versionsFor = (runtime: string): Promise<unknown> =>
      cli.json(
        `aws lambda list-layers --compatible-runtime ${runtime} ` +
          "--query 'Layers[].LatestMatchingVersion.Version'",
      );
    // The newest version decides.
    assert.deepEqual(await versionsFor('nodejs24.x'), [2]);
    assert.deepEqual(await versionsFor('nodejs22.x'), []);
    const page = await cli.json<{ NextToken: string; Layers: unknown[] }>(
      'aws lambda list-layers --max-items 1',
    );
    assert.equal(page.Layers.length, 1);
    assert.match(await cli.text(`${list} --starting-token ${page.NextToken}`), /^tools$/m);
    const table = await cli.text('aws lambda list-layers --output table');
    assert.match(table, /\| +LayerVersionArn *\| +arn:aws:\S+:layer:tools:2 +\|/);
    const versions = 'aws lambda list-layer-versions --layer-name tools --output text';
    const rows = (await cli.text(versions)).split('\n').map((line) => line.split('\t'));
    const numbers = rows.filter(([kind]) => kind === 'LAYERVERSIONS').map((row) => row.at(-1));
    assert.deepEqual(numbers, ['2', '1']);

    const shared = '--layer-name tools --version-number 1';
    await cli.text(
      `aws lambda add-layer-version-permission ${shared} --statement-id all ` +
        "--action lambda:GetLayerVersion --principal '*'",
    );
    const policy = `aws lambda get-layer-version-policy ${shared}`;
    assert.match(await cli.text(`${policy} --query Policy --output text`), /"Sid":"all"/);
    await cli.text(`aws lambda remove-layer-version-permission ${shared} --statement-id all`);
    await assertRefused('ResourceNotFoundException', policy);
    await cli.text('aws lambda delete-layer-version --layer-name other --version-number 1');
    assert.equal(await cli.text(list), 'tools\n');
  });

  test('runs a function with an extension and a wrapper from a layer', async () => {
    const layer = await cli.text(
      'aws lambda publish-layer-version --layer-name layered --zip-file fileb://layer.zip ' +
        '--query LayerVersionArn --output text',
    );
    await cli.text(
      `${create} --function-name layered --zip-file fileb://layered.zip --layers ${layer.trim()} ` +
        '--environment Variables={AWS_LAMBDA_EXEC_WRAPPER=/opt/bin/wrap} --memory-size 256 --timeout 10',
    );
    await cli.text('aws lambda wait function-active-v2 --function-name layered');
    const log = await cli.text(
      'aws lambda invoke --function-name layered --log-type Tail --query LogResult --output text ' +
        'out.json | base64 -d',
    );
    assert.equal(await output(), '["hello layer","yes"]');
    const ready =
      '^EXTENSION\\tName: teller\\.cjs\\tState: Ready\\tEvents: \\[INVOKE, SHUTDOWN\\]$';
    const lines = [
      '^teller.cjs registered',
      ready,
      '^START RequestId',
      '^END RequestId',
      '^REPORT',
    ];
    assert.match(log, new RegExp(lines.join('[^]*'), 'm'));
    assert.match(log, /^wrapping$/m);
    assert.match(log, /^teller\.cjs event .*"eventType":"INVOKE"/m);
  });

  test('routes by aliases, and keeps and reserves concurrency', async () => {
    await cli.text(`${create} --function-name kind --zip-file fileb://kind.zip --publish`);
    await cli.text('aws lambda wait function-active-v2 --function-name kind');
    await cli.text('aws lambda wait published-version-active --function-name kind --qualifier 1');
    await cli.text('aws lambda update-function-configuration --function-name kind --timeout 9');
    await cli.text('aws lambda wait function-updated-v2 --function-name kind');
    await cli.text('aws lambda publish-version --function-name kind');
    const live = '--function-name kind --name live';
    const weighted = '--function-version 1 --routing-config AdditionalVersionWeights={2=1}';
    await cli.text(`aws lambda create-alias ${live} ${weighted}`);
    const invoke = 'aws lambda invoke --function-name kind:live --output text out.json';
    assert.equal(await cli.text(`${invoke} --query ExecutedVersion`), '2\n');
    await cli.text(`aws lambda update-alias ${live} --routing-config AdditionalVersionWeights={}`);
    assert.equal(await cli.text(`${invoke} --query ExecutedVersion`), '1\n');
    assert.equal(await output(), '"on-demand"');
    await cli.text(
      "aws lambda create-alias --function-name kind --name beta --function-version '$LATEST'",
    );
    const aliases = 'aws lambda list-aliases --function-name kind';
    const names = `${aliases} --page-size 1 --query 'Aliases[].Name' --output text`;
    assert.match(await cli.text(names), /^beta\s+live$/m);
    assert.match(
      await cli.text(`${aliases} --output table`),
      /\|\| +\S+:function:kind:live *\| .*\| +live +\|/,
    );
    await assertRefused(
      'ResourceConflictException',
      'aws lambda delete-function --function-name kind --qualifier 1',
    );

    const kind = '--function-name kind';
    const reserve = `aws lambda put-function-concurrency ${kind} --reserved-concurrent-executions`;
    await cli.text(`${reserve} 0`);
    await assertRefused('TooManyRequestsException', invoke);
    assert.deepEqual(await cli.json(`${reserve} 5`), { ReservedConcurrentExecutions: 5 });

    const config = `provisioned-concurrency-config ${kind} --qualifier live`;
    const put = await cli.json(`aws lambda put-${config} --provisioned-concurrent-executions 2`);
    assert.equal(put['RequestedProvisionedConcurrentExecutions'], 2);
    await untilReady(`aws lambda get-${config} --query Status --output text`);
    const configs = `aws lambda list-provisioned-concurrency-configs ${kind} --output text`;
    assert.match(await cli.text(configs), /:function:kind:live\t.*\t2\tREADY$/m);
    await cli.text(invoke);
    assert.equal(await output(), '"provisioned-concurrency"');
    await cli.text(`aws lambda delete-${config}`);
    await assertRefused(
      'ProvisionedConcurrencyConfigNotFoundException',
      `aws lambda get-${config}`,
    );
    await cli.text(`aws lambda delete-function-concurrency ${kind}`);
    assert.equal(await cli.text(`aws lambda get-function-concurrency ${kind}`), '');
    await cli.text(`aws lambda delete-alias ${live}`);
    await assertRefused('ResourceNotFoundException', invoke);
  });

  /** The loop that scripts write: there is no waiter for it. */
  async function untilReady(line: string): Promise<void> {
    for (let attempt = 0; attempt < 60; attempt += 1) {
      const status = (await cli.text(line)).trim();
      if (status === 'READY') return;
      assert.equal(status, 'IN_PROGRESS');
      await sleep(200);
    }
    throw new Error(`not ready: ${line}`);
  }

  test('says the exception to bad input, which changes nothing', async () => {
    await cli.text(`${create} --function-name bad --zip-file fileb://two.zip --publish`);
    await cli.text('aws lambda wait function-active-v2 --function-name bad');
    const state = (): Promise<string> =>
      cli.text(
        'aws lambda list-layers && aws lambda list-aliases --function-name bad && ' +
          "aws lambda get-function --function-name bad --query '[Configuration,Concurrency]'",
      );
    const before = await state();
    await Promise.all(refused.map(([name, line]) => assertRefused(name, `aws lambda ${line}`)));
    assert.equal(await state(), before);
  });
});
