/** The scope in which algorithms are looked for, and how its operations behave. */
export interface NativeScope {
  /** The library context: the process's, or the addon's own. */
  readonly library: 'process' | 'own';
  /** The query that chooses among its providers, as property(7); empty for OpenSSL's own choice. */
  readonly properties: string;
  /** Operations may pause: they run in jobs. */
  readonly mayPause: boolean;
  /** Operations hold the thread while somebody else does the work: none runs on the event loop unless asked to. */
  readonly blocks: boolean;
  /** The backend in the statistics, for example `provider:NAME`. */
  readonly backend: string | undefined;
}
