// What runs in the workflows is what was looked at: a tag can be moved to something else.
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const FOLDER = path.join(__dirname, '..', '..', '.github', 'workflows');

test.each(readdirSync(FOLDER))('%s pins each action to a commit, and says which version that is', (name) => {
  const workflow = readFileSync(path.join(FOLDER, name), 'utf8');
  const actions = [...workflow.matchAll(/uses: *(.*)$/gm)].map((match) => match[1]);
  expect(actions.length).toBeGreaterThan(0);
  for (const action of actions) expect(action).toMatch(/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});
