import { type Acl, CREATOR_ALL_ACL, type Id, OPEN_ACL_UNSAFE, Permission, READ_ACL_UNSAFE } from '@quorate/protocol';
import { describe, expect, it } from 'vitest';
import { maskDigests, permits, resolveAcl } from '../src/acl.ts';
import { addDigestAuth, digestId, isDigestId } from '../src/digest-auth.ts';

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
    ['a scheme that is not known is not valid', [...OPEN_ACL_UNSAFE, { perms: 1, id: { scheme: 'x509', id: 'CN=a' } }], [], undefined],
    ['super is not to be named', [{ perms: 31, id: SUPER }], [SUPER], undefined],
  ])('%s', (_name, acl, ids, expected) => {
    expect(resolveAcl(acl, ids)).toEqual(expected);
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
