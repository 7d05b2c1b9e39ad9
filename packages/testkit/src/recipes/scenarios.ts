import type { Scenario } from '../stage/stage.js';
import { lockScenario } from './lock-scenario.js';

/** One or more for each recipe. */
export const recipeScenarios: readonly Scenario[] = [lockScenario];
