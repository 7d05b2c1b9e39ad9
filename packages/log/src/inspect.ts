import type { Disk } from '@quorate/ports';
import type { StoredImage } from '@quorate/zab';
import { fileName } from './file-names.js';
import { ManifestStore } from './manifest-store.js';
import { type Damage, type Recovered, recover } from './recovery.js';
import { run } from './steps.js';

/** What a store would come back with, and in which state it is. */
export interface Inspection {
  readonly image: StoredImage;
  /** Undefined where all that was ever safe is there. */
  readonly damage: Damage | undefined;
  /** What cannot be read and is not needed, because something else tells the same. */
  readonly spared: readonly Damage[];
  /** Files that count for nothing: what a crash has left of something that was not finished. */
  readonly garbage: readonly string[];
  /** Where the log ends in a segment that was not closed. What is behind it, if it is not zeros, a crash has left; the next start cuts it off. */
  readonly openEnd: { readonly file: string; readonly offset: number } | undefined;
}

/** Looks at a store that nobody uses, and changes nothing. Who may not be alone with the disk locks it before. */
export function inspect(disk: Disk, done: (result: Inspection | Error) => void): void {
  const store = new ManifestStore(disk);
  run(recover(disk, store), (result) => {
    store.close();
    if (result instanceof Error) return done(result);
    const { image, damage, spared, garbage } = result;
    done({ image, damage, spared, garbage, openEnd: openEndOf(result) });
  });
}

function openEndOf({ manifest, segments }: Recovered): Inspection['openEnd'] {
  const entry = manifest.segments[manifest.segments.length - 1];
  const last = segments[segments.length - 1];
  if (entry === undefined || entry.end !== undefined || last?.id !== entry.id) return undefined;
  return { file: fileName('segment', last.id), offset: last.end.offset };
}
