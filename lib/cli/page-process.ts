// Makes the page of charts of the report that it reads. It is a process of its own, since libraries that draw take
// longer to load than the rest of the tool.
import { readFileSync } from 'node:fs';
import { formatPage } from './page';
import type { SpeedReport } from './speed-report';

process.stdout.write(formatPage(JSON.parse(readFileSync(0, 'utf8')) as SpeedReport));
