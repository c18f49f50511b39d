/**
 * A box whose container already runs and belongs to nothing: the OCI runtime's time, most of a cold
 * start, has been paid in advance. A shell waits in it for the command (waiting-shell.ts).
 */
import { limits as quotas } from '../../model/limits.ts';
import type { SandboxLimits } from '../sandbox.ts';
import { Box } from './box.ts';
import type { OciParts } from './oci-parts.ts';
import { WaitingShell } from './waiting-shell.ts';

/** What a box has until it is given its sandbox's: enough for a shell. */
const BLANK_LIMITS: SandboxLimits = {
  memoryMb: quotas.memorySizeMbMin,
  cpus: null,
  temporaryStorageMb: quotas.ephemeralStorageMbDefault,
};

export class BlankBox {
  readonly box: Box;
  readonly shell: WaitingShell;

  private constructor(box: Box, shell: WaitingShell) {
    this.box = box;
    this.shell = shell;
  }

  static async create(parts: OciParts, name: string): Promise<BlankBox> {
    const box = await Box.create(parts, name, BLANK_LIMITS.temporaryStorageMb);
    try {
      return new BlankBox(box, await WaitingShell.start(parts, box, BLANK_LIMITS));
    } catch (error) {
      box.remove();
      throw error;
    }
  }

  /** Ends the container and takes the box off the host. */
  async destroy(): Promise<void> {
    await this.shell.end();
    this.box.remove();
  }
}
