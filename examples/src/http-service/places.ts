/** What the processes of the service agree on. */

/** A process that dies is missed after that, in milliseconds. */
export const SESSION_TIMEOUT_MS = 4_000;

export const SERVICES = '/services';
export const SERVICE = 'greeter';
export const CONFIGURATION = '/configuration/greeter';
/** Who runs the scheduled job. */
export const JOB = '/jobs/greeter';
/** A znode for each run of the job. */
export const RUNS = '/runs';
/** How often the job runs, in milliseconds. */
export const JOB_MS = 100;

export interface Configuration {
  readonly greeting: string;
}

/** What an instance says about itself to those who look for one. */
export interface Instance {
  readonly url: string;
}

/** What a run of the job leaves. */
export interface Run {
  /** Of the instance. */
  readonly name: string;
  /** Greater than that of everybody who ran the job before. */
  readonly token: number;
}
