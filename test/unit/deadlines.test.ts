import { Deadline, Deadlines } from '../../lib/keys/deadlines';

class Noted extends Deadline {
  constructor(
    private readonly deadlines: Deadlines,
    private readonly name: string,
    private readonly expired: string[],
  ) {
    super();
  }

  expire(): void {
    this.deadlines.remove(this);
    this.expired.push(this.name);
  }
}

let deadlines: Deadlines;
let expired: string[];

function add(name: string): Noted {
  const noted = new Noted(deadlines, name, expired);
  deadlines.add(noted, performance.now());
  return noted;
}

beforeEach(() => {
  jest.useFakeTimers();
  deadlines = new Deadlines(100);
  expired = [];
});
afterEach(() => {
  jest.useRealTimers();
});

test('each expires when its own time is up', () => {
  add('first');
  jest.advanceTimersByTime(40);
  add('second');
  jest.advanceTimersByTime(59);
  expect(expired).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(expired).toEqual(['first']);
  jest.advanceTimersByTime(40);
  expect(expired).toEqual(['first', 'second']);
});

test('those that are taken out do not expire', () => {
  const [first, second, third] = ['first', 'second', 'third'].map(add) as [Noted, Noted, Noted];
  add('fourth');
  deadlines.remove(second);
  deadlines.remove(first);
  deadlines.remove(third);
  jest.advanceTimersByTime(100);
  expect(expired).toEqual(['fourth']);
});

test('there is one timer, and none when there is nothing to wait for', () => {
  const all = Array.from({ length: 10 }, (_, i) => add(String(i)));
  expect(jest.getTimerCount()).toBe(1);
  for (const entry of all) deadlines.remove(entry);
  expect(jest.getTimerCount()).toBe(0);
});

test('one that begins while others expire has all of its time', () => {
  class Follower extends Noted {
    override expire(): void {
      super.expire();
      if (expired.length === 1) add('follower');
    }
  }
  deadlines.add(new Follower(deadlines, 'first', expired), performance.now());
  jest.advanceTimersByTime(199);
  expect(expired).toEqual(['first']);
  jest.advanceTimersByTime(1);
  expect(expired).toEqual(['first', 'follower']);
});
