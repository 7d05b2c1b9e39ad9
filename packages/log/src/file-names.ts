/** The names of a store's files. Segments and snapshots are numbered from one counter, and no number is used twice while its file is there. */

export type FileKind = 'segment' | 'snapshot';

/** The two copies of the manifest. */
export const MANIFEST_NAMES = ['manifest-a', 'manifest-b'] as const;

export function fileName(kind: FileKind, id: number): string {
  return `${kind}-${String(id).padStart(10, '0')}`;
}

/** What a name tells; undefined for a file that is no segment and no snapshot. */
export function parseFileName(name: string): { readonly kind: FileKind; readonly id: number } | undefined {
  const match = /^(segment|snapshot)-(\d{10})$/.exec(name);
  return match === null ? undefined : { kind: match[1] as FileKind, id: Number(match[2]) };
}
