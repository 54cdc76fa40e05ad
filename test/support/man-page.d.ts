/** The lines that the example program of ASYNC_start_job(3) prints. */
export declare const MAN_PAGE_LINES: readonly string[];
