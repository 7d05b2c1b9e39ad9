import type { Clock } from '@quorate/ports';
import type { Channel, ChannelHandler, Completion, Message, Storage, Transport } from '@quorate/zab';

/** A storage that says "flushed" before it is: what many a disk with a volatile cache does. */
export function earlyCompletions(storage: Storage, clock: Clock): Storage {
  const early = (done: Completion): Completion => {
    clock.defer(() => done());
    return () => {};
  };
  return {
    ...storage,
    append: (run, done) => storage.append(run, early(done)),
    truncate: (zxid, done) => storage.truncate(zxid, early(done)),
    saveAcceptedEpoch: (epoch, done) => storage.saveAcceptedEpoch(epoch, early(done)),
    saveCurrentEpoch: (epoch, done) => storage.saveCurrentEpoch(epoch, early(done)),
    mend: (runs, done) => storage.mend(runs, early(done)),
    installSnapshot: (snapshot, runs, done) => storage.installSnapshot(snapshot, runs, early(done)),
  };
}

/** A storage that completes early from its second life on. */
export function lyingOnceUsed(storage: Storage, clock: Clock): Storage {
  const honest = { ...storage };
  const lying = earlyCompletions(storage, clock);
  const wrapped: Storage = {
    ...storage,
    recover: (done) =>
      storage.recover((result) => {
        Object.assign(wrapped, !(result instanceof Error) && result.acceptedEpoch > 0 ? lying : honest);
        done(result);
      }),
  };
  return wrapped;
}

/** A storage that forgets one kind of order, and says that it is done. */
export function forgetful(storage: Storage, clock: Clock, forgotten: 'saveAcceptedEpoch' | 'saveCurrentEpoch'): Storage {
  return { ...storage, [forgotten]: (_epoch: number, done: Completion): void => clock.defer(() => done()) };
}

/** A transport whose learner channels, in both directions, go through `alter`: it may drop a message, or give others instead. */
export function altered(transport: Transport, alter: (message: Message) => readonly Message[]): Transport {
  const near = (channel: Channel): Channel => ({
    send: (message) => {
      for (const one of alter(message)) channel.send(one);
    },
    awaitRoom: (ready) => channel.awaitRoom(ready),
    close: () => channel.close(),
  });
  return {
    start: (handler) =>
      transport.start({
        onNotification: (from, notification) => handler.onNotification(from, notification),
        onChannel: (from, channel) => handler.onChannel(from, near(channel)),
      }),
    notify: (to, notification) => transport.notify(to, notification),
    open: (to, handler: ChannelHandler) => near(transport.open(to, handler)),
    stop: () => transport.stop(),
  };
}
