import { describe, expect, test } from 'vitest';
import { parseConnectString } from '../src/index.js';

describe('a connect string', () => {
  test.each([
    ['zk1', ['zk1:2181'], undefined],
    ['zk1:2182,zk2', ['zk1:2182', 'zk2:2181'], undefined],
    [' zk1:1 , zk2:65535 ', ['zk1:1', 'zk2:65535'], undefined],
    ['[::1]:2182,[2001:db8::1]', ['::1:2182', '2001:db8::1:2181'], undefined],
    ['10.0.0.1:2181/', ['10.0.0.1:2181'], undefined],
    ['zk1:2181,zk2:2181/app/one', ['zk1:2181', 'zk2:2181'], '/app/one'],
    ['zk_1.büro-7:1', ['zk_1.büro-7:1'], undefined],
    ['[fe80::1%eth0]', ['fe80::1%eth0:2181'], undefined],
    ['[::ffff:10.0.0.1]:1', ['::ffff:10.0.0.1:1'], undefined],
    ['[::1]/app', ['::1:2181'], '/app'],
  ])('%s', (text, servers, chroot) => {
    const parsed = parseConnectString(text);
    expect([parsed.servers.map(({ host, port }) => `${host}:${port}`), parsed.chroot]).toEqual([servers, chroot]);
  });

  test.each([
    ['', /hosts must be a string like '127\.0\.0\.1:2181/],
    [' ', /hosts must be a string like/],
    [7, /hosts must be a string like/],
    ['zk1;zk2', /"zk1;zk2" must be host, host:port/],
    ['zk1?x=1', /must be host, host:port/],
    ['zk1\u0000', /must be host, host:port/],
    ['[localhost]:2181', /must be host, host:port or \[IPv6 address\]:port/],
    ['[10.0.0.1]', /or \[IPv6 address\]:port/],
    ['zk1,,zk2', /without a name: between two commas stands host or host:port/],
    ['/app', /without a name/],
    ['zk1:', /a port is a number from 1 to 65535, not ""/],
    ['zk1:0', /a port is a number from 1 to 65535, not "0"/],
    ['zk1:65536', /a port is a number from 1 to 65535/],
    ['zk1:2181x', /a port is a number from 1 to 65535, not "2181x"/],
    ['::1:2181', /"::1:2181" must be host, host:port or \[IPv6 address\]:port/],
    ['[::1', /must be host, host:port or \[IPv6 address\]:port/],
    ['zk 1:2181', /must be host, host:port/],
    ['user@zk1:2181', /must be host, host:port/],
    ['http://zk1:2181', /no scheme: write 'host:port'/],
    ['zk1/app,zk2/app', /the chroot stands once, behind the last server: write 'a:2181,b:2181\/app'/],
    ['zk1/app/', /the chroot "\/app\/": a path must not end with \//],
    ['zk1//app', /the chroot "\/\/app": the component at index 1 must not be empty/],
    ['zk1/app/../other', /must not be \. or \.\./],
  ])('is not %j', (text, message) => {
    expect(() => parseConnectString(text as string)).toThrow(TypeError);
    expect(() => parseConnectString(text as string)).toThrow(message);
  });
});
