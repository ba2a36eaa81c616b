import type { Plugin } from 'esbuild';

/**
 * Node's own modules, taken so that starting costs little: a static ESM import of `node:http` reads
 * every export and so loads the whole of fetch (60 ms on the machine where this was measured), and
 * a command uses few of the modules that its code names. Each becomes a module of getters that load
 * at the first use.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin' }));
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, async ({ path }) => {
      const take = `process.getBuiltinModule(${JSON.stringify(path)})`;
      const names = Object.keys(await import(path)).filter((name) => name !== 'default');
      const contents = [
        `let loaded;`,
        `const load = () => (loaded ??= ${take});`,
        `for (const name of ${JSON.stringify(names.join())}.split(','))`,
        `  Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });`,
      ].join('\n');
      return { contents, loader: 'js' };
    });
  },
};
