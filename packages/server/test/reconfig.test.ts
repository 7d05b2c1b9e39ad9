import { OpCode } from '@quorate/protocol';
import { expect, it } from 'vitest';
import { TestEnsemble } from './support/test-ensemble.ts';

it('is refused by a txn of its own, as by an Apache ZooKeeper where it is not enabled, and the connection stays', () => {
  const ensemble = new TestEnsemble().ready();
  for (const server of ensemble.servers.values()) {
    const client = ensemble.client(server);
    const before = server.lastZxid;
    const reconfig = client.send({
      type: OpCode.reconfig,
      joiningServers: 'server.4=127.0.0.1:2888:3888',
      leavingServers: null,
      newMembers: null,
      curConfigId: -1n,
    });
    const behind = client.exists('/');
    ensemble.settle();
    expect([client.err(reconfig), client.err(behind), client.isClosed]).toEqual(['RECONFIG_DISABLED', 'OK', false]);
    expect(client.reply(reconfig)?.zxid).toBe(before + 1);
  }
});
