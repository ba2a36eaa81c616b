'use strict';

// Preloaded into a rehearsal (code-cache.ts): notes each script of the program that is loaded, and at
// the end writes the code that V8 compiled for it, the functions that ran included.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const HEADER_BYTES = 64;
const scripts = [];

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    scripts.push({ script: this, source, filename: options.filename });
  }
};

process.on('exit', () => {
  for (const { script, source, filename } of scripts) {
    const header = `${process.version} ${process.arch} ${source.slice(2, 34)}`;
    const bytes = [Buffer.from(header.padEnd(HEADER_BYTES)), script.createCachedData()];
    const target = path.join(path.dirname(filename), 'code', path.basename(filename));
    const fresh = `${target}.${process.pid}.new`;
    fs.writeFileSync(fresh, Buffer.concat(bytes));
    fs.renameSync(fresh, target);
  }
});
