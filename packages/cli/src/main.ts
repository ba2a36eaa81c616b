import manifest from '../package.json' with { type: 'json' };

if (process.argv[2] === '--version') {
  console.log(manifest.version);
} else {
  console.error('usage: bulla --version');
  process.exitCode = 2;
}
