/** The OCI sandbox driver against the contract of all sandbox drivers. As root it must work, or it fails. */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createOciDriver } from '../../src/sandbox/oci/oci-driver.ts';
import { besideContract } from './sandbox-beside.contract.ts';
import { sandboxContract, type ContractOptions } from './sandbox.contract.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

const options: ContractOptions = {
  makeDriver: (folder) =>
    createOciDriver(systemClock, systemRandom, silentLog, { folder, runtimePath: 'runc' }),
  driverSource: `
    import { systemClock } from './src/base/clock.ts';
    import { silentLog } from './src/base/log.ts';
    import { systemRandom } from './src/base/random.ts';
    import { createOciDriver } from './src/sandbox/oci/oci-driver.ts';
    const options = (folder) => ({ folder, runtimePath: 'runc' });
    const makeDriver = (folder) =>
      createOciDriver(systemClock, systemRandom, silentLog, options(folder));`,
  walls: true,
  skip: isRoot ? false : 'containers need root on Linux',
};

sandboxContract('oci', options);
besideContract('oci', options);
