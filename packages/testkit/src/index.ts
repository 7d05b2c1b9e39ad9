export type { Violation } from './check/verdict.js';
export { type Exploration, type ExploreOptions, explore, type Progress, type Violated } from './model/explore.js';
export type { Scope } from './model/scope.js';
export { type Held, Holders, type Holding, type KeepOptions } from './recipes/holders.js';
export { recipeScenarios } from './recipes/scenarios.js';
export type { Knobs } from './simulation/knobs.js';
export { type ShrinkOptions, type Shrunk, shrink } from './simulation/shrink.js';
export { type Level, type SimulationOptions, type SimulationResult, simulate } from './simulation/simulation.js';
export { type Condition, conditionsOf } from './simulation/sometimes.js';
export type { Interruption } from './stage/cast.js';
export { type Interrupted, type InterruptOptions, interrupt, tellInterruption } from './stage/interrupt.js';
export { type Performance, type PerformanceOptions, perform } from './stage/perform.js';
export { type Rehearsal, type RehearsalOptions, rehearse } from './stage/rehearse.js';
export type { Actor, CastOptions, Part, Scenario, Stage } from './stage/stage.js';
export {
  type ConnectionClause,
  type ConnectionSuiteOptions,
  type ConnectionWorld,
  connectionContract,
  connectionSuite,
} from './suites/connection.js';
export { type DiskContract, diskContract } from './suites/disk.js';
export { type StorageContract, storageContract } from './suites/storage.js';
export { type Act, StorageModel } from './suites/storage-model.js';
export type { TestRunner } from './suites/suite.js';
export {
  type TransportClause,
  type TransportSuiteOptions,
  type TransportWorld,
  transportContract,
  transportSuite,
} from './suites/transport.js';
export { between, chance, millis, pick } from './world/random-streams.js';
