/** A child of `check-model.ts`: it is sent one task, explores it, and sends back what came of it. The core in it may have a bug put back. */
import { type Exploration, explore } from '@quorate/testkit';
import type { ModelOutcome, ModelReport, ModelTask } from './run.ts';

const send = (report: ModelReport): void => void process.send?.(report);

process.once('message', (task: ModelTask) => {
  const startedAt = performance.now();
  const exploration: Exploration = explore({ ...task, onProgress: (progress) => send({ type: 'progress', progress }) });
  const outcome: ModelOutcome = {
    ...exploration,
    happened: [...exploration.happened],
    seconds: (performance.now() - startedAt) / 1000,
    rssBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.send?.({ type: 'outcome', outcome } satisfies ModelReport, () => process.disconnect());
});
