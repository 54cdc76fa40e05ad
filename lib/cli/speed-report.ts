// What was measured, and of what: the table and the page of charts are made of it.
import type { Side } from './algorithms';
import type { ImplementationOptions } from './implementation';
import type { Measurement } from './measurement';

export interface SpeedResult {
  algorithm: string;
  operation: string;
  /** Of its messages. */
  bytes?: number;
  sides: Record<Side, Measurement>;
}

export interface SpeedReport {
  runtime: string;
  openssl: string | null;
  cpu: string;
  cores: number;
  /** Of Node.js's pool. */
  threadpoolThreads: number;
  asyncJobs: number;
  seconds: number;
  implementation: ImplementationOptions;
  results: SpeedResult[];
}
