import { Permission } from '@quorate/protocol';

/** In the order in which zkCli.sh writes them. */
const LETTERS = [
  ['c', Permission.CREATE],
  ['d', Permission.DELETE],
  ['r', Permission.READ],
  ['w', Permission.WRITE],
  ['a', Permission.ADMIN],
] as const;

/** Permissions as letters, `cdrwa` for all of them. */
export function permissionLetters(perms: number): string {
  return LETTERS.map(([letter, bit]) => ((perms & bit) === 0 ? '' : letter)).join('');
}

/** The permissions of these letters; others mean nothing. */
export function permissionsOf(letters: string): number {
  return LETTERS.reduce((perms, [letter, bit]) => (letters.includes(letter) ? perms | bit : perms), 0);
}
