/** All that is played on a stage: the scenarios of the recipes, and of what stands on top of them. */
import { recipeScenarios, type Scenario } from '@quorate/testkit';
import { messagingScenario } from './messaging/messaging-scenario.ts';

export const allScenarios: readonly Scenario[] = [...recipeScenarios, messagingScenario];

/** A scenario with ten times the requests of the others is interrupted as often as they are, unless everything is. */
export function strideOf(name: string, every: number): number {
  return name === messagingScenario.name && every > 1 ? every * 10 : every;
}
