// Queries that choose among implementations: property(7).

/** What a query says of providers. */
export interface Query {
  /** Names of providers that the implementation has to be of. */
  readonly required: readonly string[];
  /** Names of providers that it should be of. */
  readonly preferred: readonly string[];
  /** The query with each preference a requirement. */
  readonly strict: string;
  /** Whether it allows what is not validated: says anything of the property `fips` but `fips=yes`. */
  readonly weakensFips: boolean;
}

const MOST_KNOWN = 1000;
const known = new Map<string, Query>();

/** What is no query is OpenSSL's to refuse. */
export function parseQuery(properties: string): Query {
  let query = known.get(properties);
  if (query === undefined) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(properties, (query = parse(properties)));
  }
  return query;
}

// By turns what stands between commas and, in quotes, what is no comma of the query's.
const CLAUSES = /(?:[^,'"]|'[^']*'|"[^"]*")+/g;
const CLAUSE = /^\s*([?-]?)\s*([\w.]+)\s*(?:(!?=)\s*(?:'([^']*)'|"([^"]*)"|([^\s]*))\s*)?$/;

function parse(properties: string): Query {
  const required: string[] = [];
  const preferred: string[] = [];
  const strict: string[] = [];
  let weakensFips = false;
  for (const clause of properties.match(CLAUSES) ?? []) {
    strict.push(clause.replace(/^\s*\?/, ''));
    const [, mark, name = '', operator, ...values] = CLAUSE.exec(clause) ?? [];
    // Without quotes, case does not count.
    const quoted = values[0] ?? values[1];
    const value = quoted ?? (operator === undefined ? 'yes' : values[2]?.toLowerCase());
    const isProvider = name.toLowerCase() === 'provider' && operator === '=' && value !== undefined;
    if (isProvider && mark === '') required.push(value);
    if (isProvider && mark === '?') preferred.push(value);
    const isStrictFips = mark === '' && operator !== '!=' && value === 'yes';
    if (name.toLowerCase() === 'fips' && !isStrictFips) weakensFips = true;
  }
  return { required, preferred, strict: strict.join(','), weakensFips };
}
