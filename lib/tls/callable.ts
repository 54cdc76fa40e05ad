// Classes that can be called without `new`, as Node.js's servers can.

/** A class, and a function that makes its instances. */
export type Callable<C extends abstract new (...args: never[]) => unknown> = C &
  ((...args: ConstructorParameters<C>) => InstanceType<C>);

/** `Class` itself for `instanceof`, subclasses and its name; called without `new`, it makes an instance. */
export function callable<C extends new (...args: never[]) => object>(Class: C): Callable<C> {
  const made = new Proxy(Class, { apply: (target, _self, args: never[]) => new target(...args) }) as Callable<C>;
  Object.defineProperty(Class.prototype, 'constructor', { value: made, writable: true, configurable: true });
  return made;
}
