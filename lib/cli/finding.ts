// The finding of a probe of `doctor`.

/** `unknown`: there was no way to tell. Only a `problem` keeps the library, or the module asked about, from working. */
export type FindingStatus = 'ok' | 'warning' | 'problem' | 'unknown';

export interface Finding {
  status: FindingStatus;
  /** One line. */
  summary: string;
  /** More lines, for people. */
  notes?: string[];
  /** What to do about it. */
  remedies?: string[];
  /** For machines. */
  details?: Record<string, unknown>;
}

export interface NamedFinding extends Finding {
  name: string;
}

export function problem(summary: string, remedies: string[], more: Partial<Finding> = {}): Finding {
  return { status: 'problem', summary, remedies, ...more };
}

export function unknown(summary: string, more: Partial<Finding> = {}): Finding {
  return { status: 'unknown', summary, ...more };
}

export function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const { code, message } = error as { code?: unknown; message: unknown };
  return withCode(code, String(message));
}

/** Puts the code before a message, unless the message begins with it, as messages of system calls do. */
export function withCode(code: unknown, message: string): string {
  return typeof code === 'string' && !message.startsWith(code) ? `${code}: ${message}` : message;
}
