'use strict';

// Writes the numbers that C++ and TypeScript both know, from src-native/binding/contract.json: contract.h of each layer,
// and lib/native/contract/tables.ts.
//
//   node scripts/generate-contract.js            writes what is stale
//   node scripts/generate-contract.js --check    fails when something is

const fs = require('node:fs');
const path = require('node:path');
const prettier = require('prettier');

const SOURCE = 'src-native/binding/contract.json';
const TABLES = 'lib/native/contract/tables.ts';
const GENERATED = `Written by scripts/generate-contract.js, from ${SOURCE}.`;

const root = path.join(__dirname, '..');
const { tables } = JSON.parse(fs.readFileSync(path.join(root, SOURCE), 'utf8'));
const sizes = new Map(tables.filter(({ form }) => form === 'size').map(({ name, value }) => [name, value]));

// [{ name, number, about }], and the number that follows the last one.
function readValues({ form, values }) {
  if (form === 'flags') {
    return { entries: Object.entries(values).map(([name, number]) => ({ name, number })), next: undefined };
  }
  let next = 0;
  const entries = values.map((value) => {
    const [name, second] = Array.isArray(value) ? value : [value];
    const number = next;
    next += form === 'words' && second !== undefined ? sizeOf(second) : 1;
    return { name, number, about: form === 'words' ? undefined : second };
  });
  return { entries, next };
}

function sizeOf(name) {
  const size = sizes.get(name);
  if (size === undefined) throw new Error(`${SOURCE}: there is no size ${name}`);
  return size;
}

function wrap(text, indent) {
  const lines = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || `${last} ${word}`.length > 120) lines.push(`${indent}// ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

const capitalised = (name) => `${name[0].toUpperCase()}${name.slice(1)}`;
const enumerator = (name) => `k${capitalised(name)}`;
// signatureNumbers: SignatureNumber
const singular = (name) => capitalised(name.replace(/s$/, ''));
// MAX_INPUTS: kMaxInputs
const constant = (name) =>
  `k${name
    .split('_')
    .map((word) => word[0] + word.slice(1).toLowerCase())
    .join('')}`;

function cppTable(table) {
  const about = wrap(table.about, '');
  if (table.form === 'size') return [...about, `constexpr size_t ${constant(table.name)} = ${table.value};`];
  const { entries, next } = readValues(table);
  const name = table.cpp ?? (table.form === 'arguments' ? singular(table.name) : table.name);
  const isWords = table.form === 'words' || table.form === 'arguments';
  const indent = isWords ? '    ' : '  ';
  const body = entries.flatMap((entry) => [
    ...(entry.about === undefined ? [] : wrap(entry.about, indent)),
    `${indent}${enumerator(entry.name)} = ${table.form === 'flags' ? `0x${entry.number.toString(16)}` : entry.number},`,
  ]);
  const lines = isWords
    ? [`struct ${name} {`, '  enum : size_t {', ...body, '  };', '};']
    : [`enum class ${name} : ${table.type} {`, ...body, '};'];
  const count = table.count === undefined ? [] : [`constexpr size_t ${constant(table.count)} = ${next};`];
  return [...about, ...lines, ...count];
}

function cppHeader(layer) {
  const blocks = tables.filter((table) => table.layer === layer).map((table) => cppTable(table).join('\n'));
  const head = `// Numbers of this layer that JavaScript knows too.\n// ${GENERATED}\n#pragma once\n`;
  const includes = '#include <cstddef>\n#include <cstdint>\n';
  return [
    head,
    includes,
    'namespace openssl_async {\n',
    `${blocks.join('\n\n')}\n`,
    '}  // namespace openssl_async\n',
  ].join('\n');
}

function tsTable(table) {
  const about = `/** ${table.about} */`;
  if (table.form === 'size') return `${about}\nexport const ${table.name} = ${table.value};`;
  const { entries, next } = readValues(table);
  if (table.form === 'names') {
    return `${about}\nexport const ${table.name} = [${entries.map(({ name }) => `'${name}'`).join(', ')}] as const;`;
  }
  if (table.form === 'arguments') {
    const names = entries.map((entry) => entry.name);
    const given = names.map((name) => `${name}: T`).join('; ');
    const places = names.map((name) => `given.${name}`).join(', ');
    return `${about}\nexport const ${table.name} = <T>(given: { ${given} }): T[] => [${places}];`;
  }
  const members = entries.map((entry) => {
    const comment = entry.about === undefined ? '' : `\n/** ${entry.about} */\n`;
    return `${comment}${entry.name}: ${entry.number},`;
  });
  const lines = [about, `export const ${table.name} = { ${members.join(' ')} } as const;`];
  if (table.form === 'enum')
    lines.push(`export type ${table.name} = (typeof ${table.name})[keyof typeof ${table.name}];`);
  if (table.count !== undefined) lines.push(`export const ${table.count} = ${next};`);
  return lines.join('\n');
}

async function tsFile() {
  const text = `// Numbers that C++ knows too.\n// ${GENERATED}\n\n${tables.map(tsTable).join('\n\n')}\n`;
  const options = await prettier.resolveConfig(path.join(root, TABLES));
  return prettier.format(text, { ...options, filepath: TABLES });
}

async function main() {
  const layers = [...new Set(tables.map(({ layer }) => layer))];
  const files = new Map(layers.map((layer) => [`src-native/${layer}/contract.h`, cppHeader(layer)]));
  files.set(TABLES, await tsFile());
  const read = (file) => (fs.existsSync(path.join(root, file)) ? fs.readFileSync(path.join(root, file), 'utf8') : '');
  const stale = [...files].filter(([file, text]) => read(file) !== text);
  if (!process.argv.includes('--check')) {
    for (const [file, text] of stale) fs.writeFileSync(path.join(root, file), text);
    return;
  }
  for (const [file] of stale) console.error(`${file} is stale: run \`npm run generate:contract\``);
  if (stale.length > 0) process.exitCode = 1;
  else console.log(`generate-contract: ${files.size} files are up to date`);
}

main().catch((error) => {
  console.error(`generate-contract: ${error.message}`);
  process.exitCode = 1;
});
