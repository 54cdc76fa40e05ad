// One site of guides and reference: guides are named after their headings and grouped as in docs/guide/README.md, exports
// are grouped by the folder of lib/ that they come from.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Comment, CommentTag, Converter, KindRouter, ReflectionKind } from 'typedoc';

const SUBJECTS = {
  operations: 'Operations',
  keys: 'Keys',
  jobs: 'Jobs',
  hardware: 'Engines and providers',
  streams: 'Operations',
  tls: 'TLS (experimental)',
  thread: 'Configuration and statistics',
  base: 'Errors and common types',
};
// Where the folder does not say which subject a user would look under.
const MOVED = {
  'base/options': 'Configuration and statistics',
  'jobs/diagnostics': 'Configuration and statistics',
  'native/isolation': 'Engines and providers',
  'operations/store': 'Keys',
};

const lib = path.resolve('lib');
const guides = path.resolve('docs', 'guide');

/** What the list of guides has, by file: a heading, then links. */
function groupsOfGuides() {
  const found = new Map();
  let group = '';
  for (const line of readFileSync(path.join(guides, 'README.md'), 'utf8').split('\n')) {
    group = /^## (.*)$/.exec(line)?.[1] ?? group;
    for (const [, file] of line.matchAll(/\]\(([\w-]+\.md)\)/g)) found.set(file, `Guides: ${lowerFirst(group)}`);
  }
  return found;
}

const lowerFirst = (text) => text.charAt(0).toLowerCase() + text.slice(1);

function subjectOf(file) {
  const name = path.relative(lib, file).replaceAll(path.sep, '/').replace(/\.ts$/, '');
  const subject = MOVED[name] ?? SUBJECTS[name.split('/')[0]];
  if (subject === undefined) throw new Error(`scripts/typedoc-plugin.mjs has no subject for lib/${name}`);
  return subject;
}

/** The file that declares it, not the one that exports it. */
function fileOf(context, reflection) {
  const symbol = context.getSymbolFromReflection(reflection);
  const file = symbol && context.resolveAliasedSymbol(symbol).declarations?.[0]?.getSourceFile().fileName;
  if (file === undefined) throw new Error(`${reflection.name} comes from no file`);
  return file;
}

function categorize(reflection, category) {
  reflection.comment ??= new Comment();
  reflection.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]));
}

/** In the order of their list. */
function sortGuides(project, order) {
  const place = (document) => order.indexOf(path.basename(project.files.getReflectionPath(document)));
  project.documents?.sort((a, b) => place(a) - place(b));
  const rest = project.childrenIncludingDocuments?.filter((reflection) => !reflection.isDocument()) ?? [];
  project.childrenIncludingDocuments = [...(project.documents ?? []), ...rest];
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  const groups = groupsOfGuides();
  // The order of categories is that of the guides' list, then that above.
  const order = [...new Set([...groups.values(), ...Object.values(SUBJECTS)])];
  app.on('bootstrapEnd', () => {
    app.options.setValue('categoryOrder', order);
    app.options.setValue('router', 'guides');
  });

  const subjects = new Map();
  const files = new Map();
  // Pages of guides are named after their files, whatever their headings are.
  app.renderer.defineRouter(
    'guides',
    class extends KindRouter {
      getIdealBaseName(reflection) {
        const file = files.get(reflection.id);
        return file === undefined ? super.getIdealBaseName(reflection) : `guide/${path.basename(file, '.md')}`;
      }
    },
  );
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    // The entry point counts as a module of its own for a while.
    const isExport = reflection.parent?.kindOf([ReflectionKind.Project, ReflectionKind.Module]) === true;
    if (isExport && !reflection.kindOf(ReflectionKind.Module)) {
      subjects.set(reflection, subjectOf(fileOf(context, reflection)));
    }
  });

  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    // What the package itself exports is at the top. Its other entries are modules, called as they are imported.
    for (const entry of project.getChildrenByKind(ReflectionKind.Module)) {
      if (entry.name === 'index') project.mergeReflections(entry, project);
      else {
        entry.name = `openssl-async/${path.basename(entry.name)}`;
        categorize(entry, SUBJECTS.tls);
      }
    }

    sortGuides(project, [...groups.keys()]);
    for (const document of project.documents ?? []) {
      const file = project.files.getReflectionPath(document);
      const category = groups.get(path.basename(file));
      if (category === undefined) throw new Error(`docs/guide/README.md does not name ${file}`);
      const [, title] = /^# (.*)$/m.exec(readFileSync(file, 'utf8'));
      document.name = title;
      files.set(document.id, file);
      categorize(document, category);
    }
    for (const [reflection, subject] of subjects) {
      // A function's comment is its signature's.
      const target = reflection.kindOf(ReflectionKind.Function) ? reflection.signatures[0] : reflection;
      categorize(target, subject);
    }
  });
}
