// The first file of the built program (`dist/main.js`), in CommonJS, the form that Node starts
// quickest. It loads `program.js`, which is main.ts, and what that asks for from its own folder, each
// with the compiled code that the build left beside it: compiling anew takes as long as a verification.

// Not by require() or import: those make an ES module of each as well and read all that it exports,
// process.stdout and fs.promises among it, which takes longer than the rest of the start.
const { readFileSync } = process.getBuiltinModule('node:fs');
const vm = process.getBuiltinModule('node:vm');

/** What a file of the build is given: CommonJS's three names. */
type Body = (exports: unknown, require: (id: string) => unknown, module: object) => void;

const CODE_HEADER_BYTES = 64;

const loaded = new Map<string, { exports: unknown }>();

function load(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const filename = `${__dirname}/${name}`;
  const module = {
    exports: {},
    get url() {
      return process.getBuiltinModule('node:url').pathToFileURL(filename).href;
    },
  };
  loaded.set(name, module);
  const source = readFileSync(filename, 'latin1');
  const cachedData = compiledCode(name, source);
  const options = cachedData === undefined ? { filename } : { filename, cachedData };
  const body: Body = new vm.Script(source, options).runInThisContext();
  body(module.exports, requireFrom, module);
  return module.exports;
}

/**
 * The compiled code of a source, or undefined. V8 itself compares only its own version and the
 * source's length, so the header (tools/build/code-cache.ts) names the content as well.
 */
function compiledCode(name: string, source: string): Buffer | undefined {
  try {
    const bytes = readFileSync(`${__dirname}/code/${name}`);
    // The source begins with a comment that holds its own SHA-256, cut to 32 hex digits.
    const header = `${process.version} ${process.arch} ${source.slice(2, 34)}`;
    const isOfThis =
      bytes.toString('latin1', 0, CODE_HEADER_BYTES) === header.padEnd(CODE_HEADER_BYTES);
    return isOfThis ? bytes.subarray(CODE_HEADER_BYTES) : undefined;
  } catch {
    // Nothing was left, or for another Node: V8 compiles.
    return undefined;
  }
}

/** Node's own modules that are loaded when a program starts, so that waiting gains nothing. */
const PRESENT = /^(?:node:)?(?:process|fs|path|util|events|buffer|url|vm)$/;

function requireFrom(id: string): unknown {
  if (id.startsWith('./')) return load(id.slice(2));
  return PRESENT.test(id) ? builtin(id) : whenUsed(id);
}

const awaited = new Map<string, object>();

/**
 * One of Node's own modules, loaded when something of it is first read: a command's file names many
 * and a run uses few. A bundle's copy of a module's names takes its prototype as well, which is the
 * proxy again, so that a copy waits in the same way.
 */
function whenUsed(id: string): object {
  const known = awaited.get(id);
  if (known !== undefined) return known;
  let module: object | undefined;
  const proxy: object = new Proxy(standIn, {
    get(_, name) {
      module ??= builtin(id);
      return Reflect.get(module, name);
    },
    // Some modules are themselves called or extended: assert, events, stream.
    apply: (_, self, given) => Reflect.apply(callable(id), self, given),
    construct: (_, given, newTarget) =>
      Reflect.construct(callable(id), given, newTarget === proxy ? callable(id) : newTarget),
    getPrototypeOf: () => proxy,
  });
  awaited.set(id, proxy);
  return proxy;
}

/** What a proxy must stand on to be called and extended. */
function standIn(): void {}

function callable(id: string) {
  const module = builtin(id);
  if (typeof module !== 'function') throw new TypeError(`${id} is not a function`);
  return module;
}

function builtin(id: string): object {
  const module = process.getBuiltinModule(id);
  if (module === undefined) throw new Error(`this Node has no module ${id}`);
  return module;
}

load('program.js');
