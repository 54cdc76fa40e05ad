import {
  abortError,
  asyncError,
  fromNative,
  invalidArgType,
  invalidArgValue,
  invalidReturnValue,
  outOfRange,
  unknownOption,
  type CodedError,
} from '../../lib/base/errors';

describe('every error', () => {
  test.each<[CodedError, new () => Error, string]>([
    [asyncError('ERR_ASYNC_TIMEOUT', 'message'), Error, 'ERR_ASYNC_TIMEOUT'],
    [invalidArgType('name', 'of type number', 'x'), TypeError, 'ERR_INVALID_ARG_TYPE'],
    [invalidArgValue('name', 'x', 'must be y'), TypeError, 'ERR_INVALID_ARG_VALUE'],
    [unknownOption('name', ['a']), TypeError, 'ERR_INVALID_ARG_VALUE'],
    [outOfRange('name', '> 0', 0), RangeError, 'ERR_OUT_OF_RANGE'],
    [invalidReturnValue('it', 'a number', 'x'), TypeError, 'ERR_INVALID_RETURN_VALUE'],
  ])("%p is of Node's class, with a code that its stack names and its name does not", (error, expectedClass, code) => {
    expect(error).toBeInstanceOf(expectedClass);
    expect(error.code).toBe(code);
    expect(error.name).toBe(expectedClass.name);
    expect(error.stack).toContain(`${expectedClass.name} [${code}]: `);
    expect(Object.keys(error)).toEqual(['code']);
  });

  test('may have a cause', () => {
    const cause = new Error('mine');
    expect(asyncError('ERR_ASYNC_UNSUPPORTED', 'message', { cause }).cause).toBe(cause);
  });
});

describe('an abort error', () => {
  test('is as Node makes it', () => {
    const reason = { any: 'thing' };
    const error = abortError(reason);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(error.cause).toBe(reason);
  });
});

describe('a message about arguments', () => {
  test('tells what was received without the content of bytes', () => {
    const secret = Buffer.from('secret');
    expect(invalidArgType('args', 'a number', secret).message).toContain('an instance of Buffer');
    expect(invalidArgType('args', 'a number', secret).message).not.toContain('secret');
  });

  test('cuts long strings', () => {
    expect(invalidArgType('args', 'a number', 'x'.repeat(1000)).message.length).toBeLessThan(200);
  });

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [5n, 'type bigint (5n)'],
    [true, 'type boolean (true)'],
    [Symbol('s'), 'type symbol (Symbol(s))'],
    [Object.create(null), 'an object'],
    [() => 1, 'function'],
    [{}, 'an instance of Object'],
  ])('describes %p', (value, text) => {
    expect(invalidArgType('args', 'a number', value).message).toContain(text);
  });
});

describe('an error of native code', () => {
  test('keeps its code and message', () => {
    const error = fromNative({ code: 'ERR_ASYNC_INVALID_FD', message: 'text', opensslErrors: [] });
    expect(error).toMatchObject({ code: 'ERR_ASYNC_INVALID_FD', message: 'text' });
    expect('opensslErrorStack' in error).toBe(false);
  });

  test('has what OpenSSL said besides', () => {
    const opensslErrors = ['error:1C800064:Provider routines::bad decrypt'];
    const error = fromNative({ code: 'ERR_ASYNC_NATIVE_EXCEPTION', message: 'text', opensslErrors });
    expect(error).toMatchObject({ code: 'ERR_ASYNC_NATIVE_EXCEPTION', opensslErrorStack: opensslErrors });
  });

  test.each([
    ['error:1C800064:Provider routines::bad decrypt', 'ERR_OSSL_BAD_DECRYPT', 'Provider routines', 'bad decrypt'],
    [
      'error:0A000410:SSL routines::ssl/tls alert handshake failure',
      'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
      'SSL routines',
      'ssl/tls alert handshake failure',
    ],
    ['error:0200008A:rsa routines::invalid padding', 'ERR_OSSL_RSA_INVALID_PADDING', 'rsa routines', 'invalid padding'],
    [
      'error:0A000086:SSL routines::certificate verify failed',
      'ERR_SSL_CERTIFICATE_VERIFY_FAILED',
      'SSL routines',
      'certificate verify failed',
    ],
    ['error:1E08010C:DECODER routines::unsupported', 'ERR_OSSL_UNSUPPORTED', 'DECODER routines', 'unsupported'],
    [
      'error:13000074:engine routines::no such engine',
      'ERR_OSSL_ENGINE_NO_SUCH_ENGINE',
      'engine routines',
      'no such engine',
    ],
  ])("is decorated as node:crypto's when OpenSSL alone said something: %s", (line, code, library, reason) => {
    for (const ours of ['', 'ERR_ASYNC_JOB_FAILED']) {
      const error: Error = fromNative({ code: ours, message: '', opensslErrors: [line] });
      expect(error).toMatchObject({ code, library, reason, message: line });
      expect('opensslErrorStack' in error).toBe(false);
    }
  });

  test('has further lines as a stack', () => {
    const lines = ['error:1C800064:Provider routines::bad decrypt', 'error:06000065:digital envelope routines::x'];
    expect(fromNative({ code: '', message: '', opensslErrors: lines })).toMatchObject({
      code: 'ERR_OSSL_BAD_DECRYPT',
      opensslErrorStack: lines.slice(1),
    });
  });
});
