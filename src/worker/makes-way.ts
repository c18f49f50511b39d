/** What gives up room on the host when others need it (host-room.ts). */

/** Memory of so many environments or templates. */
export interface HeldRoom {
  readonly count: number;
  readonly memoryMb: number;
}

/** Holds things that may be idle, and can give up their room then. */
export interface MakesWay {
  /** Of all that is idle. */
  readonly idleRoom: HeldRoom;
  /** Since when the one is that is idle for longest, monotonic; undefined when none is. */
  readonly idleSinceMs: number | undefined;
  /** It goes, and tells of it by `beginLeaving` at once. */
  makeWay(): void;
}
