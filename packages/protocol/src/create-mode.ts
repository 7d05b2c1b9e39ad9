/** How a znode lives and gets its name: the flags of a create request (`CreateMode`). */
export const CreateMode = {
  PERSISTENT: 0,
  EPHEMERAL: 1,
  PERSISTENT_SEQUENTIAL: 2,
  EPHEMERAL_SEQUENTIAL: 3,
  CONTAINER: 4,
  PERSISTENT_WITH_TTL: 5,
  PERSISTENT_SEQUENTIAL_WITH_TTL: 6,
} as const;

/** One of the create modes, as its flag. */
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode];

/** True where the znode goes with the session that created it. */
export function isEphemeral(mode: CreateMode): boolean {
  return mode === CreateMode.EPHEMERAL || mode === CreateMode.EPHEMERAL_SEQUENTIAL;
}

/** True where ten digits of the parent's counter are appended to the name. */
export function isSequential(mode: CreateMode): boolean {
  return (
    mode === CreateMode.PERSISTENT_SEQUENTIAL ||
    mode === CreateMode.EPHEMERAL_SEQUENTIAL ||
    mode === CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL
  );
}

/** True where the znode goes when it has not been changed for a time and has no children. */
export function hasTtl(mode: CreateMode): boolean {
  return mode === CreateMode.PERSISTENT_WITH_TTL || mode === CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL;
}

/** The mode of a flag from the wire; undefined where it is none (ZooKeeper answers BADARGUMENTS). */
export function createModeFromFlag(flag: number): CreateMode | undefined {
  return Number.isInteger(flag) && flag >= 0 && flag <= 6 ? (flag as CreateMode) : undefined;
}
