'use strict';

// A program that knows nothing of this package: PostgreSQL by pg.

const pg = require('pg');

const { port, ca, cert, key } = JSON.parse(process.env.SERVER);
const options = { host: 'localhost', port, user: 'postgres', database: 'postgres', ssl: { ca, cert, key } };

async function main() {
  const client = new pg.Client(options);
  await client.connect();
  const { rows } = await client.query('select version, client_dn from pg_stat_ssl where pid = pg_backend_pid()');
  console.log(rows[0]);
  const text = 'x'.repeat(2_000_000);
  console.log((await client.query('select $1 as text', [text])).rows[0].text === text);
  await client.end();

  const pool = new pg.Pool({ ...options, max: 4 });
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query('select $1::int as number', [i])));
  console.log(answers.every((answer, i) => answer.rows[0].number === i));
  await pool.end();

  const stranger = new pg.Client({ ...options, ssl: {} });
  await stranger.connect().catch(({ code }) => console.log(code));
}

main();
