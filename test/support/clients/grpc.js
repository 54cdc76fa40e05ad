'use strict';

// A program that knows nothing of this package: a server and clients of gRPC, with certificates of both.

const { once } = require('node:events');
const grpc = require('@grpc/grpc-js');

const { ca, cert, clients, key, server } = JSON.parse(process.env.SERVER);
const MIB = 2 ** 20;

// Messages are bytes as they are.
const same = (bytes) => bytes;
const method = (name, requestStream, responseStream) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const definition = { one: method('One', false, false), many: method('Many', true, true) };
const Client = grpc.makeGenericClientConstructor(definition, 'Echo');

async function main() {
  const service = new grpc.Server();
  service.addService(definition, {
    one(call, done) {
      const trailer = new grpc.Metadata();
      trailer.set('peer', call.getAuthContext().sslPeerCertificate.subject.CN);
      done(null, call.request, trailer);
    },
    many(call) {
      call.on('data', (bytes) => call.write(bytes)).on('end', () => call.end());
    },
  });
  const pairs = [{ private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.cert) }];
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(clients), pairs, true);
  const port = await new Promise((resolve, reject) => {
    service.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });

  const known = grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
  const client = new Client(`localhost:${port}`, known);
  const message = Buffer.alloc(MIB, 'x');
  const echoed = await new Promise((resolve, reject) => {
    const call = client.one(message, (error, answer) => (error ? reject(error) : resolve(answer)));
    call.on('status', ({ metadata }) => console.log('peer', metadata.get('peer')[0]));
  });
  console.log('one', echoed.equals(message));

  const stream = client.many();
  let bytes = 0;
  stream.on('data', (part) => (bytes += part.length));
  for (let i = 0; i < 1000; ++i) stream.write(Buffer.alloc(5000, i));
  stream.end();
  await once(stream, 'end');
  console.log('many', bytes);

  // Each fails for its deadline or its certificate, whichever is told first.
  const stranger = new Client(`localhost:${port}`, grpc.credentials.createSsl());
  const { code } = await new Promise((resolve) => stranger.one(message, resolve));
  console.log('stranger', code === grpc.status.UNAVAILABLE);

  stranger.close();
  client.close();
  await new Promise((resolve) => service.tryShutdown(resolve));
  console.log('closed');
}

main();
