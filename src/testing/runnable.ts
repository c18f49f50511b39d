/** A function version as the data plane knows it, for tests that name only what matters to them. */
import type { RunnableVersion } from '../model/runnable-version.ts';

export function runnable(members: Partial<RunnableVersion> = {}): RunnableVersion {
  const { functionName = 'one', version = '$LATEST' } = members;
  return {
    key: `${functionName}:${version}:build-1`,
    functionName,
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    version,
    state: 'Active',
    updateStatus: 'Successful',
    runtime: 'nodejs24.x',
    runtimeVersionArn: 'arn:aws:lambda:us-east-1::runtime:0000',
    handler: 'index.handler',
    snapStart: false,
    perTenant: false,
    isImage: false,
    codeHash: 'c0de',
    layerHashes: [],
    timeoutMs: 3000,
    memoryMb: 128,
    temporaryStorageMb: 512,
    environment: {},
    logGroup: `/aws/lambda/${functionName}`,
    logFormat: 'Text',
    applicationLogLevel: undefined,
    systemLogLevel: 'INFO',
    ...members,
  };
}
