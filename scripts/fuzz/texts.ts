/** What people write: files of settings, lines of the shell, connect strings. */

import { UsageError } from '../../packages/cli/src/io.ts';
import { wordsOf } from '../../packages/cli/src/shell-words.ts';
import { parseConnectString } from '../../packages/client/src/connect-string.ts';
import { parseProperties } from '../../packages/node/src/java-properties.ts';
import { readZooCfg, ZooCfgError } from '../../packages/node/src/zoo-cfg.ts';
import type { FuzzTarget } from './target.ts';

const ZOO_CFG = `tickTime=2000
initLimit=10
syncLimit=5
dataDir=/data
clientPort=2181
server.1=a:2888:3888
server.2=[::1]:2888:3888:observer;[::]:2182
server.3=c:2888:3888;2181
group.1=1:3
weight.1=2
4lw.commands.whitelist=srvr, ruok
admin.enableServer=true
metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
zookeeper.readonlymode.enabled=true
`;

const SECURE = `dataDir=/data
secureClientPort=2281
ssl.keyStore.location=/key.pem
ssl.clientAuth=want
sslQuorum=false
dynamicConfigFile=/dynamic
`;

const PROPERTIES = 'a=1\n# b\n! c\n  d : 2\\\n  3\ne\\u0041\\ f\tg\nh\\=i=\\t\\n\\q\r\nj==k\n';

const LINES = ['create -s "/a b" \'it is\' \\"x', 'set /a\\ b "c \\" d" \'\'', '  ls   -R /  '];

const CONNECT_STRINGS = ['127.0.0.1:2181,b,[::1]:2182/app/x', 'a', '[fe80::1%eth0]:1 , b:65535'];

export function textTargets(): readonly FuzzTarget[] {
  const isConnectFault = (error: unknown): boolean =>
    error instanceof TypeError && /^(?:hosts must be|"(?:[^"\\]|\\.)*":|chroot )/.test(error.message);
  return [
    {
      name: 'text: zoo.cfg',
      corpus: [ZOO_CFG, SECURE].map(encoded),
      read: (bytes) => readZooCfg('zoo.cfg', (path) => fileText(path, decoded(bytes))),
      typed: (error) => error instanceof ZooCfgError,
    },
    { name: 'text: java properties', corpus: [encoded(PROPERTIES)], read: (bytes) => parseProperties(decoded(bytes)) },
    {
      name: 'text: words of the shell',
      corpus: LINES.map(encoded),
      read: (bytes) => wordsOf(decoded(bytes)),
      typed: (error) => error instanceof UsageError,
    },
    {
      name: 'text: connect string',
      corpus: CONNECT_STRINGS.map(encoded),
      read: (bytes) => parseConnectString(decoded(bytes)),
      typed: isConnectFault,
    },
  ];
}

/** What is in the files that a zoo.cfg may name. */
function fileText(path: string, zooCfg: string): string {
  if (path === 'zoo.cfg') return zooCfg;
  if (path.endsWith('myid')) return '1';
  if (path === '/dynamic') return 'server.1=a:2888:3888\nserver.2=b:2888:3888\n';
  if (path.endsWith('.pem')) return 'a key and its certificates';
  throw new Error(`there is no ${path}`);
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
