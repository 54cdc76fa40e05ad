'use strict';

// A program that knows nothing of this package: MariaDB by mysql2.

const mysql = require('mysql2/promise');

const { port, ca, cert, key } = JSON.parse(process.env.SERVER);
const options = { host: 'localhost', port, user: 'tester', ssl: { ca, cert, key, verifyIdentity: true } };

async function main() {
  const client = await mysql.createConnection(options);
  const [[{ Value: version }]] = await client.query("show session status like 'Ssl_version'");
  const text = 'x'.repeat(2_000_000);
  const [[{ size }]] = await client.query('select length(?) as size', [text]);
  console.log(version, size);
  const [[{ back }]] = await client.query('select repeat(?, 200000) as back', ['0123456789']);
  console.log(back === '0123456789'.repeat(200_000));
  await client.end();

  const pool = mysql.createPool({ ...options, connectionLimit: 4 });
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.execute('select ? as number', [i])));
  console.log(answers.every(([[{ number }]], i) => Number(number) === i));
  await pool.end();

  await mysql.createConnection({ ...options, ssl: {} }).catch(({ code, message }) => console.log(code, message));
}

main();
