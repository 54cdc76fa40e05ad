export interface Fips {
  /** The path of a FIPS module. */
  module?: string;
  /** Why there is none. */
  reason?: string;
}
export function obtainFips(options?: { build?: boolean }): Fips;
/** What a configuration file has to say of it. */
export function fipsParameters(module: string): Record<string, string>;
