/** A port in front of another that can be cut, and stalled in one direction, as a network does. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Relay {
  readonly #server: Server;
  /** Each with the one that it passes its bytes to. */
  readonly #ways: { readonly from: Socket; readonly to: Socket; readonly isAnswer: boolean }[] = [];
  #isOpen = true;
  #stalled: 'questions' | 'answers' | undefined;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      if (!this.#isOpen) {
        near.destroy();
        return;
      }
      const far = connect(port, '127.0.0.1');
      this.#pass(near, far, false);
      this.#pass(far, near, true);
    });
  }

  static async before(port: number): Promise<Relay> {
    const relay = new Relay(port);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, and takes none until it is mended. */
  cut(): void {
    this.#isOpen = false;
    for (const { from } of [...this.#ways]) from.destroy();
  }

  /** From now on nothing gets through in one direction, on no connection, and nobody is told. */
  stall(direction: 'questions' | 'answers'): void {
    this.#stalled = direction;
    for (const { from, isAnswer } of this.#ways) if (isAnswer === (direction === 'answers')) from.pause();
  }

  mend(): void {
    this.#isOpen = true;
    this.#stalled = undefined;
    for (const { from } of this.#ways) from.resume();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #pass(from: Socket, to: Socket, isAnswer: boolean): void {
    const way = { from, to, isAnswer };
    this.#ways.push(way);
    from.on('data', (chunk) => to.write(chunk));
    from.on('error', () => {});
    from.on('close', () => {
      this.#ways.splice(this.#ways.indexOf(way), 1);
      to.destroy();
    });
    if (this.#stalled === (isAnswer ? 'answers' : 'questions')) from.pause();
  }
}
