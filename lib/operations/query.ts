// Queries that choose among implementations: property(7). OpenSSL ignores a query that it cannot read; here it is
// refused.
import { invalidArgValue } from '../base/errors';

/** The parts of a query that concern providers. */
export interface Query {
  /** The name of the provider that has to have the implementation. */
  readonly required: string | undefined;
  /** The name of the provider that should have the implementation. */
  readonly preferred: string | undefined;
  /** Whether the query speaks of the provider in any way. */
  readonly namesProvider: boolean;
  /** The query with each preference a requirement. */
  readonly strict: string;
  /** Whether the query allows implementations that are not validated: it says anything of `fips` but `fips=yes`. */
  readonly weakensFips: boolean;
}

interface Clause {
  mark: string;
  /** In lower case, as OpenSSL compares it. */
  name: string;
  operator: string;
  value: string;
  text: string;
}

const MOST_KNOWN = 1000;
const known = new Map<string, Query>();

/** Throws `ERR_INVALID_ARG_VALUE` for text that is no query. */
export function parseQuery(properties: string): Query {
  let query = known.get(properties);
  if (query === undefined) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(properties, (query = describe(parse(properties))));
  }
  return query;
}

const NAME = '[a-z][a-z0-9_]*(?:\\.[a-z][a-z0-9_]*)*';
const VALUE = `'[^']*'|"[^"]*"|[a-z][^,\\s]*|[+-]?\\d[\\da-fx]*`;
const CLAUSE = new RegExp(`\\s*(?:(-)\\s*(${NAME})|(\\?)?\\s*(${NAME})\\s*(?:(!?=)\\s*(${VALUE}))?)\\s*(,|$)`, 'iy');

function parse(properties: string): Clause[] {
  const clauses: Clause[] = [];
  CLAUSE.lastIndex = 0;
  for (let isLast = false; !isLast;) {
    const begin = CLAUSE.lastIndex;
    const found = CLAUSE.exec(properties);
    if (found === null)
      throw invalidArgValue('options.properties', properties, 'must be a query as property(7) has it');
    const [whole, removed, removedName, preferred = '', name = removedName, operator = '=', value = 'yes', comma] =
      found;
    const clause = { mark: removed ?? preferred, name: (name as string).toLowerCase(), operator, value: read(value) };
    if (clauses.some((other) => other.name === clause.name)) {
      throw invalidArgValue('options.properties', properties, `must name '${clause.name}' once`);
    }
    clauses.push({
      ...clause,
      text: properties
        .slice(begin, begin + whole.length)
        .replace(/,$/, '')
        .trim(),
    });
    isLast = comma !== ',';
  }
  return clauses;
}

// Without quotes, case does not count.
function read(value: string): string {
  return /^['"]/.test(value) ? value.slice(1, -1) : value.toLowerCase();
}

function describe(clauses: Clause[]): Query {
  const provider = clauses.find(({ name }) => name === 'provider');
  const fips = clauses.find(({ name }) => name === 'fips');
  const named = provider?.operator === '=' ? provider : undefined;
  return {
    required: named?.mark === '' ? named.value : undefined,
    preferred: named?.mark === '?' ? named.value : undefined,
    namesProvider: provider !== undefined,
    strict: clauses.map(({ text }) => text.replace(/^\?/, '')).join(','),
    weakensFips: fips !== undefined && !(fips.mark === '' && fips.operator === '=' && fips.value === 'yes'),
  };
}
