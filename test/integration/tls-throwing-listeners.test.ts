import { runAndCheck } from '../support/scenario/expectations';

describe('a listener that throws costs other connections nothing', () => {
  const events = ['secureConnection', 'data', 'end', 'close', 'tlsClientError', 'SNICallback', 'request'];
  const cases = ['loop', 'threads'].flatMap((records) => events.map((event) => [event, records] as const));
  test.each(cases)('%s; records: %s', async (...args) => {
    const reports = await runAndCheck('tls-throw', {}, { args });
    expect(reports).toEqual([{ served: 20, caught: 20, messages: ['thrown on purpose'] }]);
  });

  test('and other requests that waited in early data, too', async () => {
    const reports = await runAndCheck('tls-early-throw');
    const heard = ['/first false', '/second false'];
    expect(reports).toEqual([{ accepted: true, heard, caught: ['thrown on purpose'] }]);
  });
});
