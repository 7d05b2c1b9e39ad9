/** zoo.cfg: what Java reads in it, what we take of it, and what we refuse. */
import { describe, expect, test } from 'vitest';
import { readZooCfg, ZooCfgError } from '../src/index.js';
import { parseProperties } from '../src/java-properties.js';

function given(config: object): object {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

/** Reads `zoo.cfg` out of these files. */
function read(files: Readonly<Record<string, string>> | string) {
  const all = typeof files === 'string' ? { 'zoo.cfg': files } : files;
  const { config, notes } = readZooCfg('zoo.cfg', (path) => {
    const text = all[path];
    if (text === undefined) throw new Error(`no ${path}`);
    return text;
  });
  return { config: given(config), notes };
}

describe('a port for WebSocket', () => {
  const CFG = 'dataDir=/data\nclientPort=2181\nclientPortAddress=10.0.0.1\nmaxClientCnxns=9\n';

  test('is opened by keys of ours, and has the limits of the client port', () => {
    const { config } = read(`${CFG}quorate.webSocketPort=8081\nquorate.webSocketOrigins=https://a.example, https://b.example\n`);
    expect(config).toMatchObject({
      webSocket: { host: '10.0.0.1', port: 8081, origins: ['https://a.example', 'https://b.example'], connectionsPerAddressMax: 9 },
    });
    expect(read(`${CFG}quorate.webSocketPort=1\nquorate.webSocketPortAddress=::1`).config).toMatchObject({ webSocket: { host: '::1' } });
    expect(read(CFG).config).not.toHaveProperty('webSocket');
  });

  test('has no origins where there is no port', () => {
    expect(() => read(`${CFG}quorate.webSocketOrigins=*`)).toThrow('zoo.cfg:5: quorate.webSocketOrigins needs quorate.webSocketPort');
  });
});

describe('properties', () => {
  // Each was seen by java.util.Properties.load.
  test.each<[string, readonly (readonly [string, string, number])[]]>([
    ['a=1', [['a', '1', 1]]],
    [
      'a:1\r\nb 2\n\nc\t=\t3',
      [
        ['a', '1', 1],
        ['b', '2', 2],
        ['c', '3', 4],
      ],
    ],
    ['# a=1\n! b=2\n  # c=3\n  d=4', [['d', '4', 4]]],
    [
      'a=1,\\\n   2,\\\n   3\nb=4',
      [
        ['a', '1,2,3', 1],
        ['b', '4', 4],
      ],
    ],
    [
      'a=1\\\\\nb=2',
      [
        ['a', '1\\', 1],
        ['b', '2', 2],
      ],
    ],
    ['a\\=b\\:c\\ d=e', [['a=b:c d', 'e', 1]]],
    ['a=x\\ty\\u0041\\q', [['a', 'x\tyAq', 1]]],
    ['a==1', [['a', '=1', 1]]],
    ['a = b = c', [['a', 'b = c', 1]]],
    ['a', [['a', '', 1]]],
    ['a=1   \n', [['a', '1', 1]]],
    ['a=1\\', [['a', '1', 1]]],
    ['a=1\\\n# no comment', [['a', '1# no comment', 1]]],
  ])('%j', (text, expected) => {
    expect(parseProperties(text).map(({ key, value, line }) => [key, value, line])).toEqual(expected);
  });
});

describe('a server alone', () => {
  test('the file that comes with ZooKeeper', () => {
    const { config, notes } = read(
      'tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/var/lib/zookeeper\nclientPort=2181\n#maxClientCnxns=60\n',
    );
    expect(config).toEqual({
      tickTimeMs: 2000,
      initLimit: 10,
      syncLimit: 5,
      dataDir: '/var/lib/zookeeper',
      client: { host: '0.0.0.0', port: 2181 },
    });
    expect(notes).toEqual(['the admin port is closed unless admin.enableServer=true']);
  });

  test('every key that is taken', () => {
    const { config, notes } = read({
      'zoo.cfg': [
        'dataDir=/d',
        'dataLogDir=/d',
        'clientPort=2181',
        'clientPortAddress=10.0.0.1',
        'secureClientPort=2281',
        'ssl.keyStore.location=/k.pem',
        'ssl.keyStore.password=hush',
        'ssl.trustStore.location=/t',
        'ssl.trustStore.type=PEM',
        'ssl.clientAuth=want',
        'client.portUnification=true',
        'maxClientCnxns=0',
        'maxCnxns=500',
        'minSessionTimeout=-1',
        'maxSessionTimeout=90000',
        'snapCount=5000',
        '4lw.commands.whitelist=mntr, stat,ruok',
        'admin.enableServer=true',
        'admin.serverAddress=::1',
        'quorate.adminUnrestricted=true',
        'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
        'metricsProvider.httpPort=7001',
        'metricsProvider.exportJvmInfo=true',
        'autopurge.purgeInterval=24',
        'localSessionsEnabled=true',
        'localSessionsUpgradingEnabled=true',
        'readonlymode.enabled=true',
        'zookeeper.enforceQuota=true',
        'digest.enabled=false',
        'audit.enable=true',
        'DigestAuthenticationProvider.superDigest=super:abc',
        'globalOutstandingLimit=1000',
        'electionAlg=3',
        'forceSync=yes',
      ].join('\n'),
      '/k.pem': 'KEY',
      '/t': 'CA',
    });
    const share = { connectionsPerAddressMax: 0x7fff_ffff, connectionsMax: 500 };
    const tls = { key: 'KEY', cert: 'KEY', passphrase: 'hush', ca: 'CA', clientCertificates: 'OPTIONAL', alsoPlain: true };
    expect(config).toEqual({
      dataDir: '/d',
      client: { host: '10.0.0.1', port: 2181, ...share },
      secureClient: { host: '10.0.0.1', port: 2281, ...share, tls },
      maxSessionTimeoutMs: 90_000,
      snapshotEvery: 5_000,
      words: ['mntr', 'stat', 'ruok'],
      admin: { host: '::1', port: 8_080, unrestricted: true },
      metrics: { port: 7_001 },
      localSessions: true,
      localSessionsUpgrading: true,
      readOnlyMode: true,
      enforceQuota: true,
      digest: false,
      audit: true,
      superDigest: 'super:abc',
      requestThrottle: { requestsMax: 1000 },
    });
    expect(notes).toEqual([
      'autopurge.purgeInterval changes nothing: what is not needed any more is removed by the server itself',
      'metricsProvider.exportJvmInfo changes nothing: there is no JVM',
    ]);
  });
});

describe('an ensemble', () => {
  const SERVERS = 'server.1=a:2888:3888\nserver.2=[::1]:2889:3889;2182\nserver.3=c:2888:3888:observer;10.0.0.3:2183\n';

  test('has its servers, this one by myid, and its client port in its line', () => {
    const { config } = read({ 'zoo.cfg': `dataDir=/d\n${SERVERS}peerType=observer\n`, '/d/myid': '3\n' });
    expect(config).toMatchObject({
      sid: 3,
      servers: [
        { sid: 1, host: 'a', quorumPort: 2888, electionPort: 3888 },
        { sid: 2, host: '::1', quorumPort: 2889, electionPort: 3889 },
        { sid: 3, host: 'c', quorumPort: 2888, electionPort: 3888, observer: true },
      ],
      client: { host: '10.0.0.3', port: 2183 },
    });
  });

  test('may have its servers in a file of their own, and groups with weights', () => {
    const { config } = read({
      'zoo.cfg': 'dataDir=/d\nclientPort=2181\ndynamicConfigFile=/dyn\ngroup.1=1:2\ngroup.2=3\nweight.3=5\n',
      '/dyn': 'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nversion=100000000\n',
      '/d/myid': '2',
    });
    expect(config).toMatchObject({
      sid: 2,
      groups: [
        {
          weights: new Map([
            [1, 1],
            [2, 1],
          ]),
        },
        { weights: new Map([[3, 5]]) },
      ],
    });
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['no myid', {}, '/d/myid: is missing'],
    ['a myid that is no number', { '/d/myid': 'one' }, '/d/myid: holds the number of this server and nothing else, not "one"'],
    ['a myid that no line has', { '/d/myid': '9' }, 'zoo.cfg: server.9 is missing: myid says that it is this one'],
  ])('%s is refused', (_name, files, message) => {
    expect(() => read({ 'zoo.cfg': `dataDir=/d\nclientPort=1\n${SERVERS}`, ...files })).toThrow(message);
  });
});

test('servers may speak TLS among themselves', () => {
  const { config } = read({
    'zoo.cfg': [
      'dataDir=/d',
      'clientPort=2181',
      'sslQuorum=true',
      'ssl.quorum.keyStore.location=/k.pem',
      'ssl.quorum.trustStore.location=/t.pem',
      'server.1=a:1:2',
      'server.2=b:1:2',
    ].join('\n'),
    '/d/myid': '1',
    '/k.pem': 'KEY',
    '/t.pem': 'CA',
  });
  expect(config).toMatchObject({ peerTls: { key: 'KEY', cert: 'KEY', ca: 'CA' } });
});

describe('what is refused, with its line and what to do', () => {
  test.each<[string, string]>([
    ['clientPort=1', 'zoo.cfg: dataDir is missing'],
    ['dataDir=/d', 'zoo.cfg: clientPort is missing'],
    ['dataDir=/d\nclientPort=99999', 'zoo.cfg:2: clientPort must be a whole number from 1 to 65535, not "99999"'],
    ['dataDir=/d\nclientPort=1\n\ntickTime=2s', 'zoo.cfg:4: tickTime must be a whole number from 1 to 60000, not "2s"'],
    ['dataDir=/d\nclientPort=1\n4lw.commands.whitelist=srvr, kill', 'zoo.cfg:3: kill is no four-letter word: there are ruok, '],
    ['dataDir=/d\nclientPort=1\ndataLogDir=/e', 'zoo.cfg:3: log and snapshots are in one directory here'],
    ['dataDir=/d\nclientPort=1\nforceSync=no', 'zoo.cfg:3: what is acknowledged is on disk, always'],
    ['dataDir=/d\nclientPort=1\nskipACL=yes', 'zoo.cfg:3: ACLs are always checked'],
    ['dataDir=/d\nclientPort=1\nreconfigEnabled=true', 'zoo.cfg:3: the ensemble cannot be changed while it runs'],
    ['dataDir=/d\nclientPort=1\nreadonlymode.enabled=yes', 'zoo.cfg:3: readonlymode.enabled must be true or false, not "yes"'],
    ['dataDir=/d\nclientPort=1\nclientport=2', 'zoo.cfg:3: clientport is not known here'],
    ['dataDir=/d\nclientPort=1\nclientPort=1', 'zoo.cfg:3: clientPort stands in line 2 already: remove one of them'],
    ['dataDir=/d\nclientPort=1\nzookeeper.clientPort=1', 'zoo.cfg:3: clientPort stands in line 2 already: remove one of them'],
    ['dataDir=/d\nserver.1=a:1', 'zoo.cfg:2: must be host:quorumPort:electionPort'],
    ['dataDir=/d\nserver.1=a:1:2|b:1:2', 'zoo.cfg:2: a server has one address here'],
    ['dataDir=/d\nserver.1=a:1:2:witness', 'zoo.cfg:2: the role of a server is participant or observer, not witness'],
    ['dataDir=/d\nserver.300=a:1:2', 'zoo.cfg:2: a server has a number from 1 to 254, not 300'],
    ['dataDir=/d\nsecureClientPort=1', 'zoo.cfg:2: needs ssl.keyStore.location'],
    ['dataDir=/d\nsecureClientPort=1\nssl.keyStore.location=/k.jks', 'zoo.cfg:3: must be a PEM file'],
    ['dataDir=/d\nclientPort=1\nsslQuorum=true', 'zoo.cfg:3: needs ssl.quorum.keyStore.location and ssl.quorum.trustStore.location'],
    ['dataDir=/d\nclientPort=1\nmetricsProvider.className=x.Statsd', 'zoo.cfg:3: must be org.apache.zookeeper.metrics.prometheus'],
    ['dataDir=/d\nclientPort=1\nauthProvider.1=x', 'zoo.cfg:3: authProvider.1 is not known here'],
  ])('%j', (text, message) => {
    expect(() => read(text)).toThrow(ZooCfgError);
    expect(() => read(text)).toThrow(message);
  });

  test('a file that is not there', () => {
    expect(() => readZooCfg('/no/zoo.cfg')).toThrow('/no/zoo.cfg: cannot be read: ');
  });
});
