export { AckQueue } from './ack-queue.js';
export { ITEMS_MAX, type QueueOptions } from './backlog.js';
export { Barrier } from './barrier.js';
export { divide, hashText, memberFor } from './consistent-hash.js';
export { Counter } from './counter.js';
export type { WaitOptions } from './deadline.js';
export { type DelayOptions, DelayQueue } from './delay-queue.js';
export type { Delivery } from './delivery.js';
export { Discovery, type RegisterOptions } from './discovery.js';
export { DoubleBarrier, type DoubleBarrierOptions } from './double-barrier.js';
export { type GroupChange, GroupView, type MemberInfo } from './group-view.js';
export { Hold, type HoldOptions } from './hold.js';
export { ASIDE_MS, FAILURES_MAX } from './instance-health.js';
export { anyOfThem, type Balancer, byKey, type Candidate, type Choice, leastLoaded, roundRobin } from './load-balancing.js';
export { type AcquireOptions, Lock, type LockOptions } from './lock.js';
export { Joined, type JoinOptions, Membership } from './membership.js';
export type { ZnodeOptions } from './parents.js';
export { type OwnedPartition, type PartitionChange, Partitioner, type PartitionerOptions } from './partitioner.js';
export { pause, persevere } from './persevere.js';
export { type PriorityOptions, PriorityQueue } from './priority-queue.js';
export { Queue } from './queue.js';
export { isRecipeError, RecipeError, type RecipeErrorCode } from './recipe-error.js';
export type { Schema, SchemaIssue, SchemaResult } from './schema.js';
export { type Instance, type PickOptions, ServiceView, type ServiceViewOptions, type UseOptions } from './service-view.js';
export { SharedValue, type SharedValueOptions, type Versioned } from './shared-value.js';
export { TakingQueue } from './taking-queue.js';
export {
  type ConfigVersion,
  type FollowOptions,
  type PublishOptions,
  VERSIONS_KEPT,
  VersionedConfig,
  type VersionedConfigOptions,
} from './versioned-config.js';
