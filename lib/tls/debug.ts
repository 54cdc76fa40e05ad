// What NODE_DEBUG shows, under the names that Node's own modules have. Secrets of options are none of it.
import { debuglog } from 'node:util';

/** NODE_DEBUG=tls */
export const debugTls = debuglog('tls');
/** NODE_DEBUG=https */
export const debugHttps = debuglog('https');
