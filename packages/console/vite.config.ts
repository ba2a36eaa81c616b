import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Writes the paths of all modules beside the files: `tools/build/console.ts` makes the notices of them. */
const listModules: Plugin = {
  name: 'list-modules',
  apply: 'build',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) =>
      file.type === 'chunk' ? file.moduleIds : [],
    );
    this.emitFile({ type: 'asset', fileName: 'modules.json', source: JSON.stringify(modules) });
  },
};

export default defineConfig({
  plugins: [react(), listModules],
  build: {
    target: 'es2023',
    // Neither script nor image stands inside a page: the policy of the server forbids the one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
  test: { include: ['test/**/*.test.ts'], isolate: false },
  // `npm run dev -w @bulla/console` beside a `bulla up` on its default address.
  server: { proxy: { '/api': 'http://127.0.0.1:5000' } },
});
