// One timer for the time limits of many calls that are all given the same time.

/** A call that has to end in time. */
export abstract class Deadline {
  /** @internal */
  due = 0;
  /** @internal */
  previous: Deadline | undefined = undefined;
  /** @internal */
  next: Deadline | undefined = undefined;

  /** Its time is up. */
  abstract expire(): void;
}

/** The calls of one time limit. The timer does not keep the process alive. */
export class Deadlines {
  // The calls are in the order of their beginnings, which is the order in which they are due.
  #first: Deadline | undefined = undefined;
  #last: Deadline | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(private readonly timeoutMs: number) {}

  /** `now` comes from `performance.now()`, and is not before the `now` of the last entry. */
  add(entry: Deadline, now: number): void {
    entry.due = now + this.timeoutMs;
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    if (this.#timer === undefined) this.#wait(this.timeoutMs);
  }

  /** To be called once for each entry that was added. */
  remove(entry: Deadline): void {
    const { previous, next } = entry;
    entry.previous = entry.next = undefined;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#first !== undefined || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#expire();
    }, delayMs).unref();
  }

  // Each entry removes itself.
  #expire(): void {
    const now = performance.now();
    for (let entry = this.#first; entry !== undefined && entry.due <= now; entry = this.#first) entry.expire();
    // An entry that expired may have begun others.
    if (this.#first !== undefined && this.#timer === undefined) {
      this.#wait(Math.max(1, Math.ceil(this.#first.due - now)));
    }
  }
}
