'use strict';

// Measurements in rounds: each once a round, so that a machine that slows down moves all of them.

/**
 * @param measurements - each has `key`, unlike all others', and what `measure` needs
 * @param measure - `(measurement, { seconds, limitMs })`
 * @returns results by key and round, and by key why there are no more of them
 */
async function takeRounds(measurements, measure, { rounds, seconds, limitMs }) {
  const results = new Map(measurements.map(({ key }) => [key, []]));
  const failures = new Map();
  const deadline = performance.now() + limitMs;
  for (let round = 0; round < rounds; ++round) {
    const began = performance.now();
    // Every other round backwards, so that no side always runs on what another left behind.
    for (const measurement of round % 2 === 0 ? measurements : measurements.toReversed()) {
      const { key } = measurement;
      const timeLeftMs = deadline - performance.now();
      if (failures.has(key)) continue;
      if (timeLeftMs < seconds * 1200) return { results, failures };
      try {
        results.get(key)[round] = await measure(measurement, { seconds, limitMs: timeLeftMs });
      } catch (error) {
        failures.set(key, error.message);
        console.error(`${key}: ${error.message}`);
      }
    }
    const tookMs = performance.now() - began;
    console.error(`round ${round + 1} of ${rounds}: ${(tookMs / 1000).toFixed(1)} s`);
    if (round + 1 < rounds && performance.now() + tookMs > deadline) {
      console.error('--limit reached: no more rounds');
      break;
    }
  }
  return { results, failures };
}

module.exports = { takeRounds };
