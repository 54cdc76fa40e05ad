// Brands tell that another copy of this package made an object: another installation, or the same one loaded twice.
// They serve error messages alone; nothing is ever accepted for having a brand.
import { PACKAGE_ROOT } from './package';

const BRAND = Symbol.for('openssl-async.brand');

/** A brand, on the prototypes of classes. Other versions read it too: properties may be added, and none may change. */
interface Brand {
  readonly className: string;
  /** Folder of the package. */
  readonly copy: string;
}

const own = new WeakSet<object>();

/** To be called once for each class whose objects users pass around. */
export function brand({ prototype }: { prototype: object }, className: string): void {
  const mark: Brand = Object.freeze({ className, copy: PACKAGE_ROOT });
  own.add(mark);
  Object.defineProperty(prototype, BRAND, { value: mark });
}

/** Says that another copy made `value`, and what to do; undefined when none did, as far as it shows. */
export function describeForeign(value: unknown): string | undefined {
  const found = brandOf(value);
  if (found === undefined) return undefined;
  const { className, copy } = found;
  const advice =
    copy === PACKAGE_ROOT
      ? 'The package is loaded twice: use what one of the two made with its own functions only, and import it once.'
      : "Use it with that copy's functions, or see to it that there is one copy (npm ls openssl-async, npm dedupe).";
  const key = className === 'AsyncKey' ? ' Its toKeyObject(), where it has one, can be used here.' : '';
  return `This ${className} belongs to another copy of openssl-async, that of ${copy}. ${advice}${key}`;
}

function brandOf(value: unknown): Brand | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    const mark = (value as { [BRAND]?: unknown })[BRAND];
    if (typeof mark !== 'object' || mark === null || own.has(mark)) return undefined;
    const { className, copy } = mark as Partial<Brand>;
    return typeof className === 'string' && typeof copy === 'string' ? { className, copy } : undefined;
  } catch {
    return undefined; // somebody's getter or Proxy
  }
}
