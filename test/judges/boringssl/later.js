'use strict';

/** Calls back: with -async, in another turn of the event loop. */
function later(settings, body) {
  if (settings.async) setImmediate(body);
  else body();
}

module.exports = { later };
