import type { NativeScope } from '../native/contract/scope';

/** The scope in which algorithms are looked for: native code's part, and the fields that only this side needs. */
export interface Scope extends NativeScope {
  /** The generation of the named provider: keys and specs of an earlier one of this name are not used any more. */
  readonly generation: number | undefined;
  /** The query prefers hardware that is not there. */
  readonly passesOver: boolean;
}

/** The process's library, without a query. Other scopes are made of this one, so that each has all properties. */
export const PROCESS_SCOPE: Scope = {
  library: 'process',
  properties: '',
  mayPause: false,
  blocks: false,
  backend: undefined,
  generation: undefined,
  passesOver: false,
};

/** Names a scope in tables of native keys and specs. */
export function scopeName(scope: Scope | undefined): string {
  return scope === undefined ? '' : `${scope.library}:${scope.properties}`;
}
