import type { Scenario } from '../stage/stage.js';
import { ackQueueScenario } from './ack-queue-scenario.js';
import { barrierScenario } from './barrier-scenario.js';
import { configScenario } from './config-scenario.js';
import { counterScenario } from './counter-scenario.js';
import { decisionScenarios } from './decision-scenarios.js';
import { discoveryScenario } from './discovery-scenario.js';
import { doubleBarrierScenario } from './double-barrier-scenario.js';
import { electionScenarios } from './election-scenarios.js';
import { groupScenario } from './group-scenario.js';
import { keepingScenarios } from './keeping-scenarios.js';
import { lockScenarios } from './lock-scenarios.js';
import { partitionerScenario } from './partitioner-scenario.js';
import { queueScenario } from './queue-scenario.js';

/** One or more for each recipe. */
export const recipeScenarios: readonly Scenario[] = [
  ...lockScenarios,
  ...electionScenarios,
  ...keepingScenarios,
  ...decisionScenarios,
  groupScenario,
  discoveryScenario,
  partitionerScenario,
  barrierScenario,
  doubleBarrierScenario,
  counterScenario,
  queueScenario,
  ackQueueScenario,
  configScenario,
];
