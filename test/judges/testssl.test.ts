// testssl.sh scans a server of node:https and one of ours: it finds nothing in ours that it does not find there.
import * as fs from 'node:fs';
import * as nodeHttps from 'node:https';
import type { Server } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as https from 'openssl-async/https';
import { close, listen, run, selfSigned } from '../support/tls';
import { describeWith } from '../support/tools';

const LIMIT_MS = 170_000;

// Protocols, defaults, and the faults that need no long list of ciphers.
const CHECKS = '-p -S -H -I -T -R -C -Z -O -A -L'.split(' ');
const PLAIN = '--quiet --warnings batch --color 0 --nodns none --ip 127.0.0.1'.split(' ');

interface Finding {
  id: string;
  severity: string;
  finding: string;
}

// WARN: testssl.sh could not check.
const RANKS = ['OK', 'INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'WARN'];
const rankOf = (severity = 'OK'): number => RANKS.indexOf(severity);

// testssl.sh leaves before the ticket of TLS 1.3 is there, of either server, now and then.
const UNSURE = ['sessionresumption_ticket'];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-testssl-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

/** What testssl.sh finds, by its name for it. */
async function scan(name: string, server: Server): Promise<Map<string, Finding>> {
  const port = await listen(server);
  const file = path.join(folder, `${name}.json`);
  await run('testssl', [...PLAIN, ...CHECKS, '--jsonfile', file, `https://localhost:${String(port)}`]);
  await close(server);
  const findings = JSON.parse(fs.readFileSync(file, 'utf8')) as Finding[];
  return new Map(findings.map((each) => [each.id, each]));
}

describeWith('testssl')('testssl.sh', () => {
  test(
    'finds nothing that a server of node:https does not have',
    async () => {
      const identity = selfSigned('localhost', 'rsa');
      const answer: Parameters<typeof nodeHttps.createServer>[1] = (_, outgoing) => outgoing.end('answer');
      const [nodes, ours] = await Promise.all([
        scan('node', nodeHttps.createServer(identity, answer)),
        scan('ours', https.createServer(identity, answer)),
      ]);
      expect([...ours.keys()].sort()).toEqual([...nodes.keys()].sort());
      expect(ours.get('TLS1_3')).toMatchObject({
        severity: 'OK',
        finding: expect.stringContaining('offered') as string,
      });
      const worse = [...ours.values()].filter(({ id, severity }) => {
        if (UNSURE.includes(id)) return false;
        return rankOf(severity) > Math.max(rankOf(nodes.get(id)?.severity), rankOf('INFO'));
      });
      expect(worse).toEqual([]);
      console.log(`testssl.sh: ${String(ours.size)} findings, none worse than those of node:https.`);
    },
    LIMIT_MS,
  );
});
