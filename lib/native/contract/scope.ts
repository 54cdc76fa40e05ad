/** Where algorithms are looked for, and what is to be expected there. */
export interface NativeScope {
  /** The library context: the process's, or the addon's own. */
  readonly library: 'process' | 'own';
  /** The query that chooses among its providers, as property(7); empty for OpenSSL's own choice. */
  readonly properties: string;
  /** Its operations may pause: they run in jobs. */
  readonly mayPause: boolean;
  /** Its operations hold the thread while somebody else does the work: none runs on the event loop unless asked to. */
  readonly blocks: boolean;
  /** Who does the work, for the statistics: `provider:NAME`, for example. */
  readonly backend: string | undefined;
}
