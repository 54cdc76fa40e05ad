'use strict';

// What a file of lib/ exports as values, by the declarations that tsc has made of it.

const path = require('node:path');
const ts = require('typescript');

function publicNames(source = 'index') {
  const declarations = path.join(__dirname, '..', 'dist', `${source}.d.ts`);
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
  if (names.length === 0) throw new Error(`lib/${source}.ts exports no values`);
  return names;
}

module.exports = { publicNames };
