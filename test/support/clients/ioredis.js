'use strict';

// A program that knows nothing of this package: Redis by ioredis.

const { once } = require('node:events');
const { Redis } = require('ioredis');

const { port, ca, cert, key } = JSON.parse(process.env.SERVER);
const options = { host: 'localhost', port, tls: { ca, cert, key } };

async function main() {
  const redis = new Redis(options);
  const text = 'x'.repeat(2_000_000);
  await redis.set('text', text);
  console.log((await redis.get('text')) === text);
  const numbers = await Promise.all(Array.from({ length: 500 }, () => redis.incr('number')));
  console.log(numbers.every((number, i) => number === i + 1));

  const listener = redis.duplicate();
  await listener.subscribe('channel');
  const heard = once(listener, 'message');
  await redis.publish('channel', 'hello');
  console.log(await heard);

  redis.disconnect(true); // connects again
  console.log(await redis.del('text', 'number'));
  await Promise.all([redis.quit(), listener.quit()]);

  const stranger = new Redis({ ...options, tls: {}, lazyConnect: true, retryStrategy: null });
  stranger.on('error', ({ code }) => console.log(code));
  await stranger.connect().catch(({ message }) => console.log(message));
}

main();
