import type { Scenario } from '../stage/stage.js';
import { decisionScenarios } from './decision-scenarios.js';
import { electionScenarios } from './election-scenarios.js';
import { keepingScenarios } from './keeping-scenarios.js';
import { lockScenarios } from './lock-scenarios.js';

/** One or more for each recipe. */
export const recipeScenarios: readonly Scenario[] = [...lockScenarios, ...electionScenarios, ...keepingScenarios, ...decisionScenarios];
