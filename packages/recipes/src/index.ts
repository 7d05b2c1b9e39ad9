export { AckQueue } from './ack-queue.js';
export { ITEMS_MAX, type QueueOptions } from './backlog.js';
export type { DecisionOptions } from './ballot.js';
export { Barrier } from './barrier.js';
export { divide, hashText, memberFor } from './consistent-hash.js';
export { Counter } from './counter.js';
export type { WaitOptions } from './deadline.js';
export { type DelayOptions, DelayQueue } from './delay-queue.js';
export type { Delivery } from './delivery.js';
export { Discovery, type RegisterOptions } from './discovery.js';
export { DoubleBarrier, type DoubleBarrierOptions } from './double-barrier.js';
export type { CandidateOptions } from './electorate.js';
export { type GroupChange, GroupView, type MemberInfo } from './group-view.js';
export { Hold, type HoldOptions } from './hold.js';
export { ASIDE_MS, FAILURES_MAX } from './instance-health.js';
export { LeaderLatch, type LeadershipListener } from './leader-latch.js';
export { LeaderSelector, type LeaderSelectorOptions } from './leader-selector.js';
export { Lease, LeaseHold, type LeaseOptions } from './lease.js';
export { type AcquireOptions, LineLock } from './line-lock.js';
export { anyOfThem, type Balancer, byKey, type Candidate, type Choice, leastLoaded, roundRobin } from './load-balancing.js';
export { Lock, type LockOptions, ReadWriteLock } from './lock.js';
export { Joined, type JoinOptions, Membership } from './membership.js';
export { MultiHold, MultiLock, type SingleLock } from './multi-lock.js';
export type { ZnodeOptions } from './parents.js';
export { type OwnedPartition, type PartitionChange, Partitioner, type PartitionerOptions } from './partitioner.js';
export { pause, persevere } from './persevere.js';
export { PersistentNode } from './persistent-node.js';
export { type PriorityOptions, PriorityQueue } from './priority-queue.js';
export { Queue } from './queue.js';
export { isRecipeError, RecipeError, type RecipeErrorCode } from './recipe-error.js';
export { Semaphore, type SemaphoreOptions } from './semaphore.js';
export { type Instance, type PickOptions, ServiceView, type ServiceViewOptions, type UseOptions } from './service-view.js';
export { SharedValue, type SharedValueOptions, type VersionedValue } from './shared-value.js';
export { TakingQueue } from './taking-queue.js';
export { type CommitChoice, TwoPhaseCommit } from './two-phase-commit.js';
export {
  type ConfigVersion,
  type FollowOptions,
  type PublishOptions,
  VERSIONS_KEPT,
  VersionedConfig,
  type VersionedConfigOptions,
} from './versioned-config.js';
export { Voting, type VotingOutcome } from './voting.js';
