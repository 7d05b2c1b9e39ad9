import { it } from 'vitest';
import { OpCode, OPEN_ACL_UNSAFE } from '@quorate/protocol';
import { realClock } from '@quorate/ports';
import { MemoryNetwork, MemoryStorage } from '@quorate/zab';
import { Server } from '../src/index.ts';
it('bench', async () => {
  const clock = realClock;
  const network = new MemoryNetwork({ clock });
  const config = { version: 0, voters: [1, 2, 3] };
  const servers = [1, 2, 3].map((sid) => new Server({ sid, config, transport: network.transport(sid), storage: new MemoryStorage({ clock }), clock, tickTimeMs: 200 }));
  for (const s of servers) s.start();
  while (!servers.every((s) => s.status.serving)) await new Promise((r) => setTimeout(r, 5));
  const leader = servers.find((s) => s.status.state === 'LEADING')!;
  const follower = servers.find((s) => s.status.state === 'FOLLOWING')!;
  const data = new Uint8Array(100);
  for (const [name, server] of [['leader', leader], ['follower', follower], ['leader', leader], ['follower', follower]] as const)
    for (const outstanding of [1, 100, 1000]) {
      let resolve!: () => void;
      const done = new Promise<void>((r) => { resolve = r; });
      let sent = 0, got = 0;
      const total = outstanding === 1 ? 20_000 : 200_000;
      let port: any;
      const send = () => { sent++; port.receive({ kind: 'request', xid: sent, request: { type: OpCode.setData, path: '/bench', data, version: -1 } }); };
      port = server.accept({ send(m) {
        if (m.kind === 'connected') { port.receive({ kind: 'request', xid: 0, request: { type: OpCode.create, path: '/bench', data, acl: OPEN_ACL_UNSAFE, flags: 0 } }); return; }
        if (m.kind !== 'reply') return;
        if (m.xid === 0) { t0 = performance.now(); for (let i = 0; i < outstanding; i++) send(); return; }
        got++;
        if (got === total) resolve(); else if (sent < total) send();
      }, close() { console.log('closed'); } });
      let t0 = 0;
      port.receive({ kind: 'connect', protocolVersion: 0, lastZxidSeen: 0, timeOut: 4000, sessionId: 0n, passwd: new Uint8Array(16), readOnly: false });
      await done;
      const t = performance.now() - t0;
      console.log(name, outstanding, Math.round(total / t * 1000), 'writes/s', (t * 1000 / total).toFixed(2), 'us');
    }
  for (const s of servers) s.stop();
}, 120_000);
