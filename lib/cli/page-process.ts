// Reads a report and makes its page of charts, in a process of its own: the drawing libraries take longer to load than
// the rest of the tool.
import { readFileSync } from 'node:fs';
import { formatPage } from './page';
import type { SpeedReport } from './speed-report';

process.stdout.write(formatPage(JSON.parse(readFileSync(0, 'utf8')) as SpeedReport));
