'use strict';

// Joins the C++ sources of a folder into translation units, so that a compiler reads their headers once and not once for
// each source. For the checks of the gate: what users get is compiled source by source.
//
// A unit is text, in which `#line` names the sources. Two sources that give one name to something in an anonymous
// namespace go into different units.

const fs = require('node:fs');
const path = require('node:path');

// Declarations, as clang-format leaves them: in the first column.
const ANONYMOUS = /^namespace \{\n(.*?)^\} {2}\/\/ namespace$/gms;
const ALIAS = /^using (\w+) = .*;$/;
const TYPE = /^(?:struct|class|union|enum(?: class)?|using) (\w+)/;
const VALUE = /(\w+)(?:\[.*\])? ?(?:[({=;]|$)/;
const TEMPLATE = /^template <.*> ?/;

/** The names that a source gives to what only it may use, with what they stand for: others may call that the same. */
function ownNames(text, source) {
  const names = new Map();
  for (const [, body] of text.matchAll(ANONYMOUS)) {
    for (const line of body.split('\n')) {
      const declaration = line.replace(TEMPLATE, '');
      if (!/^[A-Za-z_]/.test(declaration) || declaration.startsWith('static_assert')) continue;
      const alias = ALIAS.exec(declaration);
      const name = (alias ?? TYPE.exec(declaration) ?? VALUE.exec(declaration))?.[1];
      if (name !== undefined) names.set(name, alias === null ? source : declaration);
    }
  }
  return names;
}

/** The names that a source uses as they are: not those of members, and not within comments. */
function usedNames(text) {
  const code = text.replace(/^\s*\/\/.*|"(?:\\.|[^"\\\n])*"/gm, '');
  return new Set(code.match(/(?<![.:\w]|->)[A-Za-z_]\w*/g));
}

/** Whether a source may use `used` where others have `own`, as it has `mine` itself. */
function agree(used, mine, own) {
  return [...own].every(([name, meaning]) => !used.has(name) || mine.get(name) === meaning);
}

/** What a unit may hold, in lines: both cores have something to do until the end. */
const LONGEST = 2000;

function groupSources(sources, root) {
  const units = [];
  for (const source of sources) {
    const text = fs.readFileSync(path.join(root, source), 'utf8');
    const own = ownNames(text, source);
    const used = usedNames(text);
    const lines = text.split('\n').length;
    const folder = path.dirname(source);
    const suits = (unit) => agree(used, own, unit.own) && agree(unit.used, unit.own, own);
    let unit = units.find((each) => each.folder === folder && each.lines + lines <= LONGEST && suits(each));
    if (unit === undefined) {
      unit = { folder, lines: 0, own: new Map(), used: new Set(), sources: [], text: '' };
      units.push(unit);
    }
    for (const [name, meaning] of own) unit.own.set(name, meaning);
    for (const name of used) unit.used.add(name);
    unit.lines += lines;
    unit.sources.push(source);
    unit.text += `#line 1 "${source}"\n${text}`;
  }
  return units.sort((one, other) => other.lines - one.lines);
}

/** Writes a file if it holds something else: an unchanged one keeps its time, and is not compiled again. */
function writeChanged(file, text) {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/**
 * @param {string[]} sources relative to `root`
 * @param {string} folder that will hold the units and nothing else
 * @returns {string[]} the units' paths, the longest first
 */
function joinSources(sources, folder, root) {
  const counts = new Map();
  const files = groupSources(sources, root).map((unit) => {
    const count = (counts.get(unit.folder) ?? 0) + 1;
    counts.set(unit.folder, count);
    const file = path.join(folder, unit.folder, `unit_${count}.cc`);
    writeChanged(file, unit.text);
    return file;
  });
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !files.includes(file)) fs.rmSync(file);
  }
  return files;
}

/** A tool's output that names sources where it named places of the unit. clang-tidy does not read `#line`. */
function nameSources(output, unit) {
  const lines = fs.readFileSync(unit, 'utf8').split('\n');
  const suffix = unit.replaceAll('.', '\\.');
  return output.replace(new RegExp(`\\S*${suffix}:(\\d+)`, 'g'), (place, number) => {
    const start = lines.slice(0, Number(number)).findLastIndex((line) => line.startsWith('#line 1 "'));
    return start < 0 ? place : `${lines[start].slice('#line 1 "'.length, -1)}:${Number(number) - start - 1}`;
  });
}

module.exports = { joinSources, nameSources };
