/** Where algorithms are looked for: library 0 is the process's, 1 the addon's own. */
export type NativeScope = readonly [
  library: number,
  properties: string,
  mayPause: boolean,
  /** Of the provider that is named: what was found while another was loaded under this name is not used any more. */
  generation?: number,
  /** Who does the work, for the statistics: `provider:NAME`, for example. */
  backend?: string,
  /** What holds the thread while somebody else does the work: it never runs on the event loop unless asked to. */
  blocks?: boolean,
  /** It prefers hardware that is not there: read by JavaScript only. */
  passesOver?: boolean,
];
