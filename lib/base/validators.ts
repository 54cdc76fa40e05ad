// Checks of arguments. Each throws Node's error for its kind of mistake.
import { invalidArgType, invalidArgValue, outOfRange, unknownOption } from './errors';

export function validateInteger(
  value: unknown,
  name: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${String(min)} && <= ${String(max)}`, value);
}

export function validateBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
}

export function validateString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}

// eslint-disable-next-line no-control-regex -- these are what a configuration file cannot hold
export const UNPRINTABLE = /[\u0000-\u001f\u007f]/;

export function validatePath(value: unknown, name: string): asserts value is string {
  validateString(value, name);
  if (value === '' || UNPRINTABLE.test(value)) throw invalidArgValue(name, value, 'must be a path');
}

export function validateFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
}

/** An object that inherits nothing, and is as fast as others, unlike an object of `Object.create(null)`. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- its prototype, which inherits nothing, is its use
export class Bag {}
Object.setPrototypeOf(Bag.prototype, null);

/**
 * The options that `known` names, each read once, own or inherited as Node.js reads them. Later changes to
 * `value`, and properties of `Object.prototype`, change nothing in them. An unknown option is refused.
 */
export function readOptions<Name extends string>(
  value: unknown,
  name: string,
  known: readonly Name[],
): Partial<Record<Name, unknown>> {
  validateOptions(value, name, known);
  const options = new Bag() as Partial<Record<Name, unknown>>;
  for (const each of known) options[each] = value[each];
  return options;
}

/** An object all of whose properties are known; a misspelled one is named. */
export function validateOptions(
  value: unknown,
  name: string,
  known: readonly string[],
): asserts value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgType(name, 'of type object', value);
  }
  // Makes no array, unlike Object.keys(): this is done for every call.
  for (const key in value) {
    if (!known.includes(key) && Object.hasOwn(value, key)) throw unknownOption(key, known);
  }
}

export function validateFallback(value: unknown, name: string): asserts value is 'software' | 'error' {
  if (value !== 'software' && value !== 'error') throw invalidArgValue(name, value, "must be 'software' or 'error'");
}

export function validateAbortSignal(value: unknown, name: string): asserts value is AbortSignal {
  if (value instanceof EventTarget && 'aborted' in value) return;
  // The signal may be of another realm, or somebody's own.
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function') {
    throw invalidArgType(name, 'an instance of AbortSignal', value);
  }
}
