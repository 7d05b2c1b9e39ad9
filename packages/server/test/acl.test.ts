import { type Acl, CREATOR_ALL_ACL, type Id, OPEN_ACL_UNSAFE, Permission, READ_ACL_UNSAFE } from '@quorate/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskDigests, permits, resolveAcl } from '../src/acl.ts';
import { addDigestAuth, digestId, isDigestId } from '../src/digest-auth.ts';
import { isInNetwork, isIpId } from '../src/ip-auth.ts';

const ALICE: Id = { scheme: 'digest', id: 'alice:hash' };
const BOB: Id = { scheme: 'digest', id: 'bob:hash' };
const SUPER: Id = { scheme: 'super', id: '' };
const IP: Id = { scheme: 'ip', id: '10.0.0.1' };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('permits', () => {
  const alice: readonly Acl[] = [{ perms: Permission.READ | Permission.WRITE, id: ALICE }];
  it.each<[boolean, readonly Acl[], number, readonly Id[]]>([
    [true, OPEN_ACL_UNSAFE, Permission.ADMIN, []],
    [true, READ_ACL_UNSAFE, Permission.READ, []],
    [false, READ_ACL_UNSAFE, Permission.WRITE, [ALICE]],
    [true, READ_ACL_UNSAFE, Permission.WRITE | Permission.READ, []],
    [false, alice, Permission.READ, []],
    [false, alice, Permission.READ, [BOB]],
    [true, alice, Permission.READ, [BOB, ALICE]],
    [false, alice, Permission.DELETE, [ALICE]],
    [true, alice, Permission.DELETE, [SUPER]],
    [false, [{ perms: 31, id: { scheme: 'digest', id: 'anyone' } }], Permission.READ, []],
    [true, [{ perms: 1, id: { scheme: 'ip', id: '10.0.0.0/24' } }], Permission.READ, [IP]],
    [false, [{ perms: 1, id: { scheme: 'ip', id: '10.0.0.0/24' } }], Permission.WRITE, [IP]],
    [false, [{ perms: 1, id: { scheme: 'ip', id: '10.0.1.0/24' } }], Permission.READ, [ALICE, IP]],
    [false, [{ perms: 1, id: { scheme: 'ip', id: '0.0.0.0/0' } }], Permission.READ, [{ scheme: 'digest', id: '10.0.0.1' }]],
    [true, [], Permission.ADMIN, []],
  ])('%s: %j, %i, %j', (expected, acl, perms, ids) => {
    expect(permits(acl, perms, ids)).toBe(expected);
  });
});

describe('resolveAcl', () => {
  it.each<[string, readonly Acl[], readonly Id[], readonly Acl[] | undefined]>([
    ['an empty list is not valid', [], [ALICE], undefined],
    [
      'auth becomes every id that was proved',
      CREATOR_ALL_ACL,
      [IP, ALICE, SUPER, BOB],
      [
        { perms: 31, id: ALICE },
        { perms: 31, id: BOB },
      ],
    ],
    ['auth without a proof is not valid', CREATOR_ALL_ACL, [IP], undefined],
    ['duplicates go', [...READ_ACL_UNSAFE, ...READ_ACL_UNSAFE, ...OPEN_ACL_UNSAFE], [], [...READ_ACL_UNSAFE, ...OPEN_ACL_UNSAFE]],
    ['world is anyone', [{ perms: 31, id: { scheme: 'world', id: 'someone' } }], [], undefined],
    ['a digest names user and hash', [{ perms: 31, id: { scheme: 'digest', id: 'alice' } }], [], undefined],
    ['a scheme that is not known is not valid', [...OPEN_ACL_UNSAFE, { perms: 1, id: { scheme: 'sasl', id: 'bob' } }], [], undefined],
    ['super is not to be named', [{ perms: 31, id: SUPER }], [SUPER], undefined],
  ])('%s', (_name, acl, ids, expected) => {
    expect(resolveAcl(acl, ids)).toEqual(expected);
  });
});

describe('ip', () => {
  it.each([
    // As ZooKeeper 3.8.0 answers, but for IPv6, which it knows since 3.9.5.
    ['127.0.0.1', true],
    ['127.0.0.1/8', true],
    ['10.0.0.0/8', true],
    ['127.0.0.1/0', true],
    ['127.0.0.1/32', true],
    ['127.0.0.1/33', false],
    ['127.0.0.1/-1', false],
    ['127.0.0.1/', false],
    ['127.0.0.1/8/9', false],
    ['127.0.0', false],
    ['127.0.0.1.2', false],
    ['127.0.0.256', false],
    ['127.0.0.', false],
    ['+127.0.0.1', true],
    ['127.0.0.1/+8', true],
    ['127.0.0.01', true],
    ['localhost', false],
    ['', false],
    ['::1', true],
    ['::', true],
    ['::/0', true],
    ['2001:db8::/32', true],
    ['2001:db8:0:0:0:0:0:1/128', true],
    ['2001:db8:0:0:0:0:0:1/129', false],
    ['::ffff:10.0.0.1', true],
    ['64:ff9b::10.0.0.1/96', true],
    ['1:2:3:4:5:6:7', false],
    ['1:2:3:4:5:6:7:8:9', false],
    ['1::2::3', false],
    ['1:2:3:4::5:6:7:8', false],
    ['12345::', false],
    ['g::', false],
    ['::1%eth0', false],
    [':1', false],
    ['10.0.0.1::', false],
  ])('an ACL may name %j: %s', (id, expected) => {
    expect(isIpId(id)).toBe(expected);
    expect(resolveAcl([{ perms: 1, id: { scheme: 'ip', id } }], []) !== undefined).toBe(expected);
  });

  it.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '10.1.0.0/16', true],
    ['10.2.2.3', '10.1.0.0/16', false],
    ['10.1.2.131', '10.1.2.129/25', true],
    ['10.1.2.3', '10.1.2.129/25', false],
    ['10.1.2.3', '99.99.99.99/0', true],
    ['10.1.2.3', '010.1.2.3', true],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['2001:DB8::5', '2001:db8::/32', true],
    ['2001:db9::5', '2001:db8::/32', false],
    ['2001:db9::5', '2001:db8::/31', true],
    ['::1', '0.0.0.0/0', false],
    ['10.1.2.3', '::/0', false],
    ['::ffff:10.1.2.3', '10.1.2.0/24', true],
    ['', '0.0.0.0/0', false],
    ['10.1.2.3', 'nonsense', false],
  ])('%j is in %j: %s', (address, id, expected) => {
    expect(isInNetwork(address, id)).toBe(expected);
  });

  it('a network is the addresses that agree in its first bits', () => {
    const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const text = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 32 }), (a, other, bits, keep) => {
        // Two addresses that agree in some of their first bits.
        const b = keep === 0 ? other : (a ^ (keep === 32 ? 0 : other >>> keep)) >>> 0;
        const expected = bits === 0 || a >>> (32 - bits) === b >>> (32 - bits);
        expect(isInNetwork(text(a), `${text(b)}/${bits}`)).toBe(expected);
        expect(isInNetwork(`::ffff:${text(a)}`, `${text(b)}/${bits}`)).toBe(expected);
      }),
    );
  });
});

describe('digest', () => {
  it('hashes all of user:password, as ZooKeeper does', () => {
    // The example of ZooKeeper's own tests for the super user.
    expect(digestId(bytes('super:test'))).toBe('super:D/InIHSb7yEEbrWz8b9l71RjZJU=');
    expect(digestId(bytes('a:b:c')).startsWith('a:')).toBe(true);
    expect(digestId(bytes('nobody')).startsWith('nobody:')).toBe(true);
  });

  it('adds an id once, and super where the digest is the configured one', () => {
    const superDigest = 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=';
    const once = addDigestAuth([IP], bytes('super:test'), superDigest);
    expect(once).toEqual([IP, SUPER, { scheme: 'digest', id: superDigest }]);
    expect(addDigestAuth(once, bytes('super:test'), superDigest)).toEqual(once);
    expect(addDigestAuth([], bytes('super:test'), undefined)).toEqual([{ scheme: 'digest', id: superDigest }]);
    expect(addDigestAuth([], bytes('super:other'), superDigest)).toHaveLength(1);
  });

  it.each([
    ['a:b', true],
    [':b', true],
    ['a:', false],
    ['a', false],
    ['', false],
    ['a:b:c', false],
  ])('an ACL may name %j: %s', (id, expected) => {
    expect(isDigestId(id)).toBe(expected);
  });

  it('hides the hash and keeps the user (CVE-2019-0201)', () => {
    expect(maskDigests([{ perms: 31, id: ALICE }, ...OPEN_ACL_UNSAFE])).toEqual([
      { perms: 31, id: { scheme: 'digest', id: 'alice:x' } },
      ...OPEN_ACL_UNSAFE,
    ]);
  });
});
