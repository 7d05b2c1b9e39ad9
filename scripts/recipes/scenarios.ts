/** All that is played on a stage: the scenarios of the recipes, and of what stands on top of them. */
import { recipeScenarios, type Scenario } from '@quorate/testkit';
import { messagingScenario } from './messaging/messaging-scenario.ts';

export const allScenarios: readonly Scenario[] = [...recipeScenarios, messagingScenario];
