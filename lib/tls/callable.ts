// Classes that can be called without `new`, as Node.js's servers can.

/** A class, and a function that makes its instances. */
export type Callable<C extends abstract new (...args: never[]) => unknown> = C &
  ((...args: ConstructorParameters<C>) => InstanceType<C>);

type Constructor = new (...args: never[]) => object;

// Of all copies of the package: one that is loaded later finds another's class in the place of Node's.
const BASE = Symbol.for('openssl-async:tls:base');

/** Node.js's class, in whose place a copy of this package may have put its own. */
export function nodesClass<C extends object>(Class: C): C {
  return (Class as { [BASE]?: C })[BASE] ?? Class;
}

/** Has other copies of this package find the class of Node.js that `Class` extends. */
export function markBase(Class: object, Base: object): void {
  Object.defineProperty(Class, BASE, { value: Base });
}

/**
 * `Class` itself for `instanceof`, subclasses and its name; called without `new`, it makes an instance. Older code calls
 * the constructor of its base class on an object of its own: `initialise` does for such an object what the constructor
 * does; Node.js's own subclasses of `Base`, which is the class that `Class` extends, need no more than `Base`.
 */
export function callable<C extends Constructor>(
  Class: C,
  Base: Constructor,
  initialise: (self: InstanceType<C>, args: never[]) => void,
): Callable<C> {
  const made = new Proxy(Class, {
    apply(target, self: unknown, args: never[]) {
      if (self instanceof target) initialise(self as InstanceType<C>, args);
      else if (self instanceof Base) (Base as unknown as (...given: never[]) => void).apply(self, args);
      else return new target(...args);
      return undefined;
    },
  }) as Callable<C>;
  markBase(Class, Base);
  Object.defineProperty(Class.prototype, 'constructor', { value: made, writable: true, configurable: true });
  return made;
}
