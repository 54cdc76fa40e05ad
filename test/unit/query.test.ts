// Queries of property(7), which OpenSSL ignores when it cannot read them.
import { parseQuery, type Query } from '../../lib/operations/query';
import { codeOf } from '../support/unit';

test.each<[string, Partial<Query>]>([
  ['provider=qat', { required: 'qat', preferred: undefined, namesProvider: true, weakensFips: false }],
  [' Provider = QAT , fips=yes ', { required: 'qat', namesProvider: true, weakensFips: false }],
  ["provider='QAT'", { required: 'QAT' }],
  ['?provider="a,b",x.y!=3', { required: undefined, preferred: 'a,b', strict: 'provider="a,b",x.y!=3' }],
  ['provider!=default', { required: undefined, preferred: undefined, namesProvider: true }],
  ['-provider', { required: undefined, preferred: undefined, namesProvider: true }],
  ['?fips=yes', { namesProvider: false, strict: 'fips=yes', weakensFips: true }],
  ['fips', { weakensFips: false }],
  ["fips='yes'", { weakensFips: false }],
  ['-fips', { weakensFips: true }],
  ['FIPS=no', { weakensFips: true }],
  ['fips!=yes', { weakensFips: true }],
  ['x=0x1F,y=-3,z', { strict: 'x=0x1F,y=-3,z', namesProvider: false }],
])('reads %j', (properties, expected) => {
  expect(parseQuery(properties)).toMatchObject(expected);
});

test.each(['=', 'fips=yes,', ',', 'a b', '1=2', 'a-b=c', 'a=', 'a==b', '??a', "a='b", 'a=b,A=c', 'a.=b'])(
  'refuses %j',
  (properties) => {
    expect(codeOf(() => parseQuery(properties))).toBe('ERR_INVALID_ARG_VALUE');
  },
);
