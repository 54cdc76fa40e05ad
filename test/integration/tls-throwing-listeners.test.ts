import { runAndCheck } from '../support/scenario/expectations';

describe('a listener that throws costs other connections nothing', () => {
  test.each(['secureConnection', 'data', 'end', 'close', 'tlsClientError', 'SNICallback', 'request'])(
    '%s',
    async (event) => {
      const reports = await runAndCheck('tls-throw', {}, { args: [event] });
      expect(reports).toEqual([{ served: 20, caught: 20, messages: ['thrown on purpose'] }]);
    },
  );
});
