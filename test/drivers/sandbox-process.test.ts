/** The process sandbox driver against the contract of all sandbox drivers. */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createProcessDriver } from '../../src/sandbox/process/process-driver.ts';
import { besideContract } from './sandbox-beside.contract.ts';
import { sandboxContract, type ContractOptions } from './sandbox.contract.ts';

const options: ContractOptions = {
  makeDriver: async (folder) =>
    createProcessDriver(systemClock, systemRandom, silentLog, { folder }),
  driverSource: `
    import { systemClock } from './src/base/clock.ts';
    import { silentLog } from './src/base/log.ts';
    import { systemRandom } from './src/base/random.ts';
    import { createProcessDriver } from './src/sandbox/process/process-driver.ts';
    const makeDriver = (folder) => createProcessDriver(systemClock, systemRandom, silentLog, { folder });`,
  walls: false,
  skip: false,
};

sandboxContract('process', options);
besideContract('process', options);
