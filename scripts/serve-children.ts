/** Work for several processes, which ask for more as soon as they are done. */
import { fork, type Serializable } from 'node:child_process';

export interface Service<Order, Outcome> {
  /** How many processes. */
  readonly jobs: number;
  /** The next order; undefined where there is none any more. */
  readonly take: () => Order | undefined;
  readonly onOutcome: (outcome: Outcome) => void;
}

/** @param program what is sent orders, and sends any number of outcomes for each and then `'done'`. Resolves when all has been done; rejects where a process dies. */
export async function serveChildren<Order extends Serializable, Outcome>(program: string, service: Service<Order, Outcome>): Promise<void> {
  await Promise.all(Array.from({ length: service.jobs }, () => serveChild(program, service)));
}

function serveChild<Order extends Serializable, Outcome>(program: string, { take, onOutcome }: Service<Order, Outcome>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(program, { execArgv: ['--enable-source-maps'] });
    const give = (): void => {
      const order = take();
      if (order === undefined) child.disconnect();
      else child.send(order);
    };
    child.on('message', (message: Outcome | 'done') => {
      if (message === 'done') give();
      else onOutcome(message as Outcome);
    });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a process that works ended with status ${code}`))));
    give();
  });
}
