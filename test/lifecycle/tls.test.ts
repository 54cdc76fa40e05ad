import { runAndCheck } from '../support/scenario/expectations';

describe('the process ends with a TLS server and connections in every state', () => {
  test.each(['exit', 'exit-in-listener'])('by process.exit() (%s)', async (way) => {
    await runAndCheck('tls-end', { code: 3 }, { args: [way] });
  });

  test('by an uncaught exception', async () => {
    await runAndCheck('tls-end', { code: 1, stderr: /^Error: thrown on purpose$/m }, { args: ['throw'] });
  });

  test('by itself, when the server was unreferenced', async () => {
    expect(await runAndCheck('tls-end', {}, { args: ['unref'] })).toEqual([{ listening: true }]);
  });

  test('by itself, when the server was closed', async () => {
    expect(await runAndCheck('tls-end', {}, { args: ['close'] })).toEqual([{ closed: true }]);
  });
});

test('a process ends by itself after a connection over streams, and not before', async () => {
  expect(await runAndCheck('tls-end', {}, { args: ['streams'] })).toEqual([{ said: 'done' }]);
});

describe('a worker ends with a TLS server and connections in every state', () => {
  test.each([
    ['worker-terminate', 1],
    ['worker-exit', 5],
  ])('%s', async (way, code) => {
    expect(await runAndCheck('tls-end', {}, { args: [way] })).toEqual([{ code, messages: ['busy'] }]);
  });

  test('ten times over', async () => {
    expect(await runAndCheck('tls-end', {}, { args: ['again'] })).toEqual([{ fdGrowth: 0 }]);
  });
});

test('a server that was closed is collected', async () => {
  expect(await runAndCheck('tls-end', {}, { args: ['collected'], execArgv: ['--expose-gc'] })).toEqual([
    { left: true },
  ]);
});

describe('sessions of HTTP/2 in every state', () => {
  test.each([
    ['exit', { code: 3 }],
    ['throw', { code: 1, stderr: /^Error: thrown on purpose$/m }],
  ])('end with the process (%s)', async (way, expected) => {
    await runAndCheck('tls-http2-end', expected, { args: [way] });
  });

  test.each([
    ['worker-terminate', 1],
    ['worker-exit', 5],
  ])('end with a worker (%s)', async (way, code) => {
    expect(await runAndCheck('tls-http2-end', {}, { args: [way] })).toEqual([{ code, messages: ['busy'] }]);
  });

  test('end with workers, ten times over', async () => {
    expect(await runAndCheck('tls-http2-end', {}, { args: ['again'] })).toEqual([{ fdGrowth: 0 }]);
  });
});

test('a process ends by itself after a session that was destroyed', async () => {
  expect(await runAndCheck('tls-http2-end', {}, { args: ['destroyed'] })).toEqual([{ closed: true }]);
});

test('a worker that has ended its session ends by itself when everything has left that was written', async () => {
  expect(await runAndCheck('tls-http2-end', {}, { args: ['answered'] })).toEqual([{ code: 0, isWhole: true }]);
});
