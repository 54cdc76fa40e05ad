import {
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateInteger,
  validateOptions,
} from '../../lib/base/validators';
import { codeOf } from '../support/unit';

const integer = (value: unknown, min: number, max?: number) => () => {
  validateInteger(value, 'name', min, max);
};

describe('validateInteger', () => {
  test.each([0, 5, 10])('takes %i from 0 to 10', (value) => {
    expect(codeOf(integer(value, 0, 10))).toBeUndefined();
  });
  test.each([-1, 11, 0.5, NaN, Infinity, -Infinity])('refuses %p from 0 to 10', (value) => {
    expect(codeOf(integer(value, 0, 10))).toBe('ERR_OUT_OF_RANGE');
  });
  test.each([undefined, null, '1', 1n, true, [1], {}, Symbol('1')])('refuses %p, which is no number', (value) => {
    expect(codeOf(integer(value, 0, 10))).toBe('ERR_INVALID_ARG_TYPE');
  });
  test('takes safe integers when there is no maximum', () => {
    expect(codeOf(integer(Number.MAX_SAFE_INTEGER, 0))).toBeUndefined();
    expect(codeOf(integer(Number.MAX_SAFE_INTEGER + 1, 0))).toBe('ERR_OUT_OF_RANGE');
  });
});

describe('validateBoolean', () => {
  test.each([true, false])('takes %p', (value) => {
    expect(
      codeOf(() => {
        validateBoolean(value, 'name');
      }),
    ).toBeUndefined();
  });
  test.each([undefined, null, 0, 'true', {}])('refuses %p', (value) => {
    expect(
      codeOf(() => {
        validateBoolean(value, 'name');
      }),
    ).toBe('ERR_INVALID_ARG_TYPE');
  });
});

describe('validateFunction', () => {
  test('takes functions of all kinds', () => {
    for (const value of [
      () => 1,
      function* () {
        yield 1;
      },
      async () => Promise.resolve(),
      class {},
    ]) {
      expect(
        codeOf(() => {
          validateFunction(value, 'name');
        }),
      ).toBeUndefined();
    }
  });
  test.each([undefined, null, 1, 'f', {}])('refuses %p', (value) => {
    expect(
      codeOf(() => {
        validateFunction(value, 'name');
      }),
    ).toBe('ERR_INVALID_ARG_TYPE');
  });
});

describe('validateOptions', () => {
  test.each([{}, { a: 1 }, { a: undefined, b: 2 }, Object.create(null)])('takes %p', (value) => {
    expect(
      codeOf(() => {
        validateOptions(value, 'options', ['a', 'b']);
      }),
    ).toBeUndefined();
  });
  test.each([undefined, null, 1, 'a', [], () => 1])('refuses %p, which is no object', (value) => {
    expect(
      codeOf(() => {
        validateOptions(value, 'options', ['a', 'b']);
      }),
    ).toBe('ERR_INVALID_ARG_TYPE');
  });
  test('refuses and names an unknown one', () => {
    const misuse = () => {
      validateOptions({ a: 1, misspelled: 2 }, 'options', ['a', 'b']);
    };
    expect(codeOf(misuse)).toBe('ERR_INVALID_ARG_VALUE');
    expect(misuse).toThrow(expect.objectContaining({ message: expect.stringContaining('misspelled') as string }));
  });
});

describe('validateAbortSignal', () => {
  test('takes signals, whoever made them', () => {
    const signals = [new AbortController().signal, AbortSignal.abort(), AbortSignal.timeout(1)];
    for (const signal of [...signals, { aborted: false, addEventListener: () => undefined }]) {
      expect(
        codeOf(() => {
          validateAbortSignal(signal, 'signal');
        }),
      ).toBeUndefined();
    }
  });
  test.each([undefined, null, 1, {}, { aborted: false }, new AbortController(), new EventTarget()])(
    'refuses %p',
    (value) => {
      expect(
        codeOf(() => {
          validateAbortSignal(value, 'signal');
        }),
      ).toBe('ERR_INVALID_ARG_TYPE');
    },
  );
});
