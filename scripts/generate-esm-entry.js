'use strict';

// Writes dist/index.mjs and dist/index.d.mts, which re-export by name what lib/index.ts exports as values. One module
// instance serves both module systems: a second one would be a second scheduler.

const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript');

const root = path.join(__dirname, '..');
const declarations = path.join(root, 'dist', 'index.d.ts');

const program = ts.createProgram([declarations], {
  module: ts.ModuleKind.CommonJS,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
});
const checker = program.getTypeChecker();
const moduleSymbol = checker.getSymbolAtLocation(program.getSourceFile(declarations));

const names = checker
  .getExportsOfModule(moduleSymbol)
  .filter((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const typeOnly = symbol.declarations?.some(
      (node) => ts.isExportSpecifier(node) && ts.isTypeOnlyImportOrExportDeclaration(node),
    );
    return !typeOnly && (target.flags & ts.SymbolFlags.Value) !== 0;
  })
  .map((symbol) => symbol.name)
  .sort();
if (names.length === 0) throw new Error('lib/index.ts exports no values');

fs.writeFileSync(
  path.join(root, 'dist', 'index.mjs'),
  `export {\n${names.map((name) => `  ${name},\n`).join('')}} from './index.js';\n`,
);
fs.writeFileSync(path.join(root, 'dist', 'index.d.mts'), "export * from './index.js';\n");
