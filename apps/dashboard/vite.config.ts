import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

/** Where `npm run dev` finds the server; the built dashboard is served by it and asks its own origin. */
const server = 'http://127.0.0.1:4000';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { conditions: ['tidewire-source', ...defaultClientConditions] },
  // No asset becomes a data: URL, which the server's content security policy refuses.
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: { host: '127.0.0.1', proxy: { '/api': server, '/rest': server, '/realtime': server } },
});
