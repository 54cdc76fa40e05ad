import type { NativeScope } from '../native/contract/scope';

/** Where algorithms are looked for: what native code knows of it, and what only this side needs. */
export interface Scope extends NativeScope {
  /** Of the provider that is named: what was found while another was loaded under this name is not used any more. */
  readonly generation: number | undefined;
  /** It prefers hardware that is not there. */
  readonly passesOver: boolean;
}

/** The process's library, without a query. Others are made of it, so that each has all the properties. */
export const PROCESS_SCOPE: Scope = {
  library: 'process',
  properties: '',
  mayPause: false,
  blocks: false,
  backend: undefined,
  generation: undefined,
  passesOver: false,
};

/** Names a scope in a table of what was made for scopes. */
export function scopeName(scope: Scope | undefined): string {
  return scope === undefined ? '' : `${scope.library}:${scope.properties}`;
}
