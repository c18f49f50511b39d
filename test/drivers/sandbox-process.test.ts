/** The process sandbox driver against the contract of all sandbox drivers. */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createProcessDriver } from '../../src/sandbox/process/process-driver.ts';
import { sandboxContract } from './sandbox.contract.ts';

sandboxContract('process', {
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
});
