// libuv's numbers of errors on this platform.
import { constants } from 'node:os';

const { EADDRINUSE, ECANCELED, ENFILE, EPIPE } = constants.errno;
const onWindows = { EADDRINUSE: -4091, ECANCELED: -4081, ENFILE: -4061, EPIPE: -4047 };

export const UV_EADDRINUSE = process.platform === 'win32' ? onWindows.EADDRINUSE : -EADDRINUSE;
export const UV_ECANCELED = process.platform === 'win32' ? onWindows.ECANCELED : -ECANCELED;
export const UV_ENFILE = process.platform === 'win32' ? onWindows.ENFILE : -ENFILE;
export const UV_EPIPE = process.platform === 'win32' ? onWindows.EPIPE : -EPIPE;
