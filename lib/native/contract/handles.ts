// Native objects, as JavaScript holds them. Native code refuses a handle of another type.

declare const handle: unique symbol;

/** A native object. It never leaves lib/. */
export interface NativeHandle<Name extends string> {
  readonly [handle]: Name;
}
export type NativeWaitContext = NativeHandle<'wait-context'>;
export type NativeWaitSignal = NativeHandle<'wait-signal'>;
export type NativeJob = NativeHandle<'job'>;
export type NativeKey = NativeHandle<'key'>;
export type NativeSpec = NativeHandle<'spec'>;
export type NativeProvider = NativeHandle<'provider'>;
export type NativeTlsContext = NativeHandle<'tls-context'>;
export type NativeTrustedRoots = NativeHandle<'trusted-roots'>;
export type NativeEngine = NativeHandle<'engine'>;

/** The outcome of an operation that asks an engine for something; complete once the operation has ended. */
export type NativeOutcome = NativeHandle<'outcome'>;

/** A value that `openssl_async_create_job_function()` makes in another addon. */
export type NativeJobFunctionExternal = NativeHandle<'job-function'>;
