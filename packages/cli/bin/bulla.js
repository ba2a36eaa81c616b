#!/usr/bin/env node
// The launcher is read by whatever Node is installed, so it keeps to syntax that Node 14 parses and
// imports nothing before it knows its Node. The program itself is the build in ../dist.
const NEEDED = [24, 15];

const version = process.versions.node.split('.').map(Number);
const newEnough = version[0] > NEEDED[0] || (version[0] === NEEDED[0] && version[1] >= NEEDED[1]);

if (newEnough) {
  try {
    require('../dist/main.js');
  } catch (error) {
    notLoaded(error);
  }
} else {
  // biome-ignore lint/style/useNodejsImportProtocol: Node before 14.18 does not know `node:`
  inOwnNode(require('child_process'));
}

function notLoaded(error) {
  if (error.code === 'MODULE_NOT_FOUND' && /'\.\.\/dist\/main\.js'/.test(error.message)) {
    stop('it is not built yet: run `npm run build` in the clone');
  } else {
    console.error(error);
    process.exitCode = 4;
  }
}

// A clone on Linux has a Node 24 of its own among its packages: `npx` finds that one by the PATH,
// and a link to this file from elsewhere finds it here.
function inOwnNode(childProcess) {
  const own = `${__dirname}/../../../node_modules/node-linux-${process.arch}/bin/node`;
  const run = childProcess.spawnSync(own, process.argv.slice(1), { stdio: 'inherit' });
  if (run.error) {
    const found = `this is Node ${process.versions.node}`;
    stop(`it needs Node ${NEEDED.join('.')} or newer and ${found}: install Node 24 and try again`);
  } else {
    process.exitCode = run.status === null ? 4 : run.status;
  }
}

function stop(why) {
  console.error(`bulla: ${why}`);
  process.exitCode = 2;
}
