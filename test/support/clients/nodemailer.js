'use strict';

// A program that knows nothing of this package: mail by nodemailer, to a server of smtp-server in the same process.

const nodemailer = require('nodemailer');
const { SMTPServer } = require('smtp-server');

const { ca, server: identity } = JSON.parse(process.env.SERVER);
const mail = { from: 'from@example.test', to: 'to@example.test', text: 'x'.repeat(500_000) };

async function main() {
  // With TLS from the beginning, and after STARTTLS.
  for (const secure of [true, false]) {
    const server = new SMTPServer({
      ...identity,
      secure,
      authOptional: true,
      onData(stream, session, done) {
        stream.resume().on('end', () => {
          console.log(stream.byteLength > mail.text.length, session.secure, session.tlsOptions.version);
          done();
        });
      },
    });
    server.on('error', () => undefined); // of the client that leaves
    await new Promise((resolve) => server.listen(0, 'localhost', resolve));
    const options = { host: 'localhost', port: server.server.address().port, secure, requireTLS: !secure };
    const { accepted } = await nodemailer.createTransport({ ...options, tls: { ca } }).sendMail(mail);
    console.log(accepted);
    await nodemailer
      .createTransport(options)
      .sendMail(mail)
      .catch(({ code }) => console.log(code));
    await new Promise((resolve) => server.close(resolve));
  }
}

main();
