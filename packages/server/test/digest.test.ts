import { OpCode } from '@quorate/protocol';
import { DataTree } from '@quorate/tree';
import { describe, expect, it } from 'vitest';
import type { Server } from '../src/index.ts';
import { Pipeline } from './support/pipeline.ts';
import { TestEnsemble } from './support/test-ensemble.ts';

/** From now on this server takes another time for that of a txn. */
function lead(server: Server, astrayMs: number): void {
  const { tree } = server;
  const apply = tree.apply.bind(tree);
  tree.apply = (header, txn, onChange) => apply({ ...header, time: header.time + astrayMs }, txn, onChange);
}

const digestOf = ({ tree }: Server) => tree.digest && { ...tree.digest };

describe('a server whose tree is not what the leader has foreseen', () => {
  it('stops before it answers, and the others go on', () => {
    const ensemble = new TestEnsemble().ready();
    const [astray, other] = ensemble.followers as [Server, Server];
    const client = ensemble.client(astray);
    const witness = ensemble.client(other);
    lead(astray, 1);
    const xid = client.create('/a');
    expect(() => ensemble.settle()).toThrow(/^after txn 0x100000003 the tree has the digest [0-9a-f]+, and the leader said [0-9a-f]+$/);
    expect(client.reply(xid)).toBeUndefined();
    expect(client.isClosed).toBe(true);
    ensemble.failures.length = 0;
    ensemble.servers.delete(astray.sid);
    const read = witness.getData('/a');
    ensemble.settle();
    expect(witness.err(read)).toBe('OK');
    expect(digestOf(ensemble.leader)).toEqual(digestOf(other));
  });

  it('is the leader too', () => {
    const ensemble = new TestEnsemble().ready();
    const client = ensemble.client(ensemble.leader);
    lead(ensemble.leader, 1);
    const xid = client.setData('/', 'x');
    expect(() => ensemble.settle()).toThrow('the tree has the digest');
    expect(client.reply(xid)).toBeUndefined();
  });

  it('serves where no digest is kept, by the leader or by itself', () => {
    const ensemble = new TestEnsemble(3, { digest: false }).ready();
    const client = ensemble.client(ensemble.followers[0] as Server);
    lead(ensemble.followers[0] as Server, 1);
    const xid = client.create('/a');
    ensemble.settle();
    expect(client.err(xid)).toBe('OK');
    expect(ensemble.leader.tree.digest).toBeUndefined();
  });
});

describe('the digest that a leader foresees', () => {
  it('does not change with an error, a session or a check', () => {
    const p = new Pipeline();
    const before = p.changes.digest();
    p.write({ type: OpCode.delete, path: '/none', version: -1 });
    p.write({ type: OpCode.multi, ops: [{ type: OpCode.check, path: '/', version: 0 }] });
    p.closeSession(5n);
    expect(p.waiting.map(({ digest }) => digest)).toEqual([before, before, before]);
    p.apply();
  });

  it('is that of the tree when its term begins', () => {
    const ensemble = new TestEnsemble().ready();
    const client = ensemble.client(ensemble.followers[0] as Server);
    for (const path of ['/a', '/a/b', '/c']) client.create(path, { data: path });
    ensemble.settle();
    ensemble.crash(ensemble.leader.sid);
    ensemble.ready();
    const next = ensemble.client(ensemble.leader);
    const xid = next.delete('/a/b');
    ensemble.settle();
    expect(next.err(xid)).toBe('OK');
    const [one, other] = [...ensemble.servers.values()] as [Server, Server];
    expect(digestOf(one)).toEqual(digestOf(other));
  });

  it('is compared after a snapshot was taken too', () => {
    const ensemble = new TestEnsemble(3, { snapshotEvery: 5 }).ready();
    const [behind] = ensemble.followers as [Server];
    ensemble.crash(behind.sid);
    ensemble.ready();
    const client = ensemble.client(ensemble.leader);
    for (let i = 0; i < 40; i++) client.create(`/n${i}`);
    ensemble.settle();
    const server = ensemble.start(behind.sid);
    ensemble.ready();
    expect(digestOf(server)).toEqual(digestOf(ensemble.leader));
    lead(server, 1);
    client.create('/last');
    expect(() => ensemble.settle()).toThrow('the tree has the digest');
  });

  it('is of the znodes alone: a tree that came another way has the same', () => {
    const p = new Pipeline();
    p.write({
      type: OpCode.create,
      path: '/a',
      data: new Uint8Array(3),
      acl: [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }],
      flags: 1,
    });
    p.apply();
    expect({ ...DataTree.deserialize(p.tree.serialize()).digest }).toEqual({ ...p.tree.digest });
  });
});
