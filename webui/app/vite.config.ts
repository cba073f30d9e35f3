import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// Where `npm run dev` finds the server: an objsrv on this machine.
const backend = process.env['OBJSRV'] ?? 'http://127.0.0.1:9000';

export default defineConfig({
  // Every address is relative to the document, so that the console works below any path.
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: {
    port: Number(process.env['PORT'] ?? 22500),
    strictPort: true,
    proxy: {
      '^/(session|login|logout|renew|share|zip|sso|s3|admin)(/|$|\\?)': {
        target: backend,
        rewrite: (path) => '/-/console' + path,
      },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.{ts,tsx}'] },
});
