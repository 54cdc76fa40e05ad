// nginx, HAProxy and stunnel as the tests use them: each ends TLS of clients, and is itself a client of a server of TLS.
import { Daemon, freePort } from './daemons';
import type { Identity } from './tls';

/** Certificates and keys, as PEM. */
export interface Trust {
  /** Of the proxy and of the server behind it; it signs itself. */
  server: Identity;
  /** Of the proxy as a client. */
  client: Identity;
  /** Who has signed certificates of clients. */
  authority: string;
}

export interface Proxy {
  daemon: Daemon;
  /** Where it speaks TLS itself. */
  secure: number;
  /** Where it takes plaintext, which goes to the server behind it by TLS. */
  plain: number;
  /** Where it carries bytes of TLS to the server behind it, if it does. */
  passing?: number;
}

const files = ({ server, client, authority }: Trust): Record<string, string> => ({
  'server.pem': server.cert + server.key,
  'client.pem': client.cert + client.key,
  'trusted.pem': server.cert,
  'clients.pem': authority,
});

const ports = (count: number): Promise<number[]> => Promise.all(Array.from({ length: count }, freePort));

/** nginx with these lines for its `http`. */
export function startNginxWith(http: string, ports: number[], files: Record<string, string>): Promise<Daemon> {
  const configuration = `
daemon off;
user root;
pid $FOLDER/pid;
error_log $FOLDER/log crit;
events {}
http {
  access_log off;
  client_body_temp_path $FOLDER/body;
  proxy_temp_path $FOLDER/proxy;
  fastcgi_temp_path $FOLDER/fastcgi;
  uwsgi_temp_path $FOLDER/uwsgi;
  scgi_temp_path $FOLDER/scgi;
  ${http}
}
`;
  return Daemon.start('nginx', {
    files: { ...files, 'nginx.conf': configuration },
    ports,
    args: (own) => ['-c', `${own}/nginx.conf`, '-e', `${own}/log`],
  });
}

/** `/seen` says what nginx knows of its client. `/file` is a file. Anything else goes to the server of the port. */
export async function startNginx(trust: Trust, port: number, file: string): Promise<Proxy> {
  const [secure = 0, plain = 0] = await ports(2);
  const http = `
  client_max_body_size 64m;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:sessions:1m;
  proxy_ssl_trusted_certificate $FOLDER/trusted.pem;
  proxy_ssl_verify on;
  proxy_ssl_protocols TLSv1.2 TLSv1.3;
  proxy_ssl_name localhost;
  proxy_ssl_server_name on;
  proxy_ssl_certificate $FOLDER/client.pem;
  proxy_ssl_certificate_key $FOLDER/client.pem;
  upstream node { server 127.0.0.1:${port}; keepalive 4; }
  server {
    listen 127.0.0.1:${secure} ssl http2;
    ssl_certificate $FOLDER/server.pem;
    ssl_certificate_key $FOLDER/server.pem;
    ssl_verify_client optional;
    ssl_client_certificate $FOLDER/clients.pem;
    location = /seen { return 200 "$ssl_protocol $ssl_session_reused $ssl_client_verify $ssl_client_s_dn $server_protocol"; }
    location = /file { root $FOLDER; }
    location / { proxy_pass https://node; }
  }
  server {
    listen 127.0.0.1:${plain};
    location / { proxy_pass https://node; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
`;
  const daemon = await startNginxWith(http, [secure, plain], { ...files(trust), file });
  return { daemon, secure, plain };
}

/** `/seen` says what HAProxy knows of its client. Anything else goes to the server of the port, which it checks. */
export async function startHaproxy(trust: Trust, port: number): Promise<Proxy> {
  const [secure = 0, plain = 0, passing = 0] = await ports(3);
  const configuration = `
defaults
  mode http
  timeout connect 10s
  timeout client 20s
  timeout server 20s
frontend secure
  bind 127.0.0.1:${secure} ssl crt $FOLDER/server.pem ca-file $FOLDER/clients.pem verify optional alpn h2,http/1.1
  http-request return status 200 content-type text/plain lf-string "%[ssl_fc_protocol] %[ssl_fc_is_resumed] %[ssl_c_s_dn(CN)]" if { path /seen }
  default_backend node
frontend plain
  bind 127.0.0.1:${plain}
  default_backend node
backend node
  server node 127.0.0.1:${port} ssl verify required ca-file $FOLDER/trusted.pem crt $FOLDER/client.pem sni str(localhost) check inter 100
listen passing
  mode tcp
  bind 127.0.0.1:${passing}
  server node 127.0.0.1:${port}
`;
  const daemon = await Daemon.start('haproxy', {
    files: { ...files(trust), 'haproxy.cfg': configuration },
    ports: [secure, plain, passing],
    args: (folder) => ['-db', '-f', `${folder}/haproxy.cfg`],
  });
  return { daemon, secure, plain, passing };
}

/** Clients of TLS need a certificate; what they send goes to `plainPort`. */
export async function startStunnel(trust: Trust, port: number, plainPort: number): Promise<Proxy> {
  const [secure = 0, plain = 0] = await ports(2);
  const configuration = `
foreground = yes
pid =
[server]
accept = 127.0.0.1:${secure}
connect = 127.0.0.1:${plainPort}
cert = $FOLDER/server.pem
CAfile = $FOLDER/clients.pem
verifyChain = yes
[client]
client = yes
accept = 127.0.0.1:${plain}
connect = 127.0.0.1:${port}
CAfile = $FOLDER/trusted.pem
verifyChain = yes
checkHost = localhost
sni = localhost
cert = $FOLDER/client.pem
`;
  const daemon = await Daemon.start('stunnel4', {
    files: { ...files(trust), 'stunnel.conf': configuration },
    ports: [secure, plain],
    args: (folder) => [`${folder}/stunnel.conf`],
  });
  return { daemon, secure, plain };
}
