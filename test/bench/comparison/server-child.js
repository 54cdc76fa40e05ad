'use strict';

// node server-child.js SIDE ALGORITHM: an express server that signs a token for each request, and sends its port.

const express = require('express');
const { ISSUERS, KEYS } = require('./issuers.js');

async function main() {
  const [side, algorithm] = process.argv.slice(2);
  const issue = await ISSUERS[side].create(KEYS[algorithm](), algorithm);
  const app = express();
  app.get('/token', async (_request, response) => {
    response.json({ token: await issue({ sub: 'alice', scope: 'read' }) });
  });
  const server = app.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

void main();
