'use strict';

// No link is dead: in the Markdown files of the repository, and in the site that npm run docs makes, when there is one.
// Links within must lead to a file that is there and, after a #, to a heading or an id of it. Others must be URLs.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const site = path.join(root, 'docs', 'site');
const problems = [];
let links = 0;

/** Files of `folder` and of folders in it, which `isWanted` says yes to. */
function filesOf(folder, isWanted) {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter(isWanted);
}

function markdownFiles() {
  const isMarkdown = (file) => file.endsWith('.md');
  const top = fs.readdirSync(root).map((name) => path.join(root, name));
  const folders = ['docs/guide', 'lib', 'src-native', 'test'].map((name) => path.join(root, name));
  return [...top.filter(isMarkdown), ...folders.flatMap((folder) => filesOf(folder, isMarkdown))];
}

const withoutCode = (text) => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

function markdownLinks(text) {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
    ([, inline, named]) => inline ?? named,
  );
}

/** As GitHub names the anchors of headings. */
function markdownAnchors(text) {
  const seen = new Map();
  return [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ +(.*)$/gm)].map(([, heading]) => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

const unescape = (text) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");
const htmlLinks = (text) => [...text.matchAll(/<[^>]* (?:href|src)="([^"]*)"/g)].map(([, link]) => unescape(link));
const htmlAnchors = (text) => [...text.matchAll(/<[^>]* id="([^"]*)"/g)].map(([, id]) => unescape(id));

const anchors = new Map();
function anchorsOf(file) {
  if (!anchors.has(file)) {
    const text = fs.readFileSync(file, 'utf8');
    anchors.set(file, new Set(file.endsWith('.md') ? markdownAnchors(text) : htmlAnchors(text)));
  }
  return anchors.get(file);
}

function check(file, link) {
  ++links;
  const complain = (why) => problems.push(`${path.relative(root, file)}: ${link}: ${why}`);
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) {
    if (!URL.canParse(link)) complain('is no URL');
    else if (!/^https:\/\//.test(link) && !/^data:/.test(link)) complain('is neither https: nor a file of ours');
    return;
  }
  const [name, anchor] = decodeURI(link).split('#');
  const target = name === '' ? file : path.resolve(path.dirname(file), name);
  if (!fs.existsSync(target)) complain('there is no such file');
  else if (anchor !== undefined && anchor !== '' && /\.(?:md|html)$/.test(target)) {
    if (!anchorsOf(target).has(anchor)) complain('there is no such anchor');
  }
}

for (const file of markdownFiles()) {
  for (const link of markdownLinks(fs.readFileSync(file, 'utf8'))) check(file, link);
}
if (fs.existsSync(site)) {
  for (const file of filesOf(site, (name) => name.endsWith('.html'))) {
    for (const link of htmlLinks(fs.readFileSync(file, 'utf8'))) check(file, link);
  }
} else if (process.argv.includes('--site')) problems.push('there is no docs/site: npm run docs makes it');

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else console.log(`check-links: ${links} links lead somewhere`);
