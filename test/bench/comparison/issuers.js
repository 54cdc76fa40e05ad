'use strict';

// Ways to sign a JSON Web Token. Each side gives a function that resolves to one.

const crypto = require('node:crypto');

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** With a function that signs text: everything but the signature is the same work. */
const withSigner = (create) => (key, alg) => {
  const header = encode({ alg, typ: 'JWT' });
  const sign = create(alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key);
  return async (payload) => {
    const input = `${header}.${encode({ ...payload, iat: Math.floor(Date.now() / 1000) })}`;
    return `${input}.${(await sign(input)).toString('base64url')}`;
  };
};

const ISSUERS = {
  jsonwebtoken: {
    title: '`jsonwebtoken`',
    create(key, algorithm) {
      const jwt = require('jsonwebtoken');
      return (payload) => jwt.sign(payload, key, { algorithm });
    },
  },
  jose: {
    title: '`jose`',
    async create(key, alg) {
      const { SignJWT } = await import('jose');
      return (payload) => new SignJWT(payload).setProtectedHeader({ alg, typ: 'JWT' }).setIssuedAt().sign(key);
    },
  },
  callback: {
    title: '`crypto.sign()` with a callback',
    create: withSigner(
      (key) => (input) =>
        new Promise((resolve, reject) => {
          crypto.sign('sha256', Buffer.from(input), key, (error, signature) =>
            error === null ? resolve(signature) : reject(error),
          );
        }),
    ),
  },
  own: {
    title: 'this package, `sign()`',
    create: withSigner((key) => {
      const { sign } = require('../../../dist');
      return (input) => sign('sha256', input, key);
    }),
  },
};

const KEYS = {
  RS256: () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};

module.exports = { ISSUERS, KEYS };
