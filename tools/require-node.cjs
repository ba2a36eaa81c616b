'use strict';
// Written in syntax that old Nodes read, so that the answer is one plain line and not a syntax error.
var parts = process.versions.node.split('.');
var ok = Number(parts[0]) > 24 || (Number(parts[0]) === 24 && Number(parts[1]) >= 15);
if (!ok) {
  console.error(
    'Bulla needs Node 24.15 or newer and this is Node ' +
      process.versions.node +
      ': run `npm ci` (on Linux it brings its own Node 24), or install Node 24.',
  );
  process.exit(2);
}
