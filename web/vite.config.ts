import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { chunks } from "./chunks.ts";
import { offline } from "./offline.ts";

const gateway = process.env.RECORDROUTE_WEB_GATEWAY ?? "http://127.0.0.1:7180";

export default defineConfig({
  plugins: [react(), offline()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../services/gateway/src/recordroute_gateway/web/static",
    emptyOutDir: true,
    target: "es2023",
    // The strict content security policy allows no inline module, and browsers of the target need no polyfill.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    // What every page needs is one file: in the sixty that it would be otherwise it is larger, and comes later.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { output: { codeSplitting: chunks } },
  },
  server: {
    proxy: Object.fromEntries(
      ["^/recordroute\\.", "/media", "/session"].map((path) => [
        path,
        // The session's cookie counts only where Origin is Host: the proxy leaves that as the browser sent it.
        { target: gateway, changeOrigin: false },
      ]),
    ),
  },
  test: {
    environment: "jsdom",
    // One DOM for all files: making one for each took nine tenths of the time.
    pool: "threads",
    isolate: false,
    // For machines that are busy with other tests.
    testTimeout: 60_000,
    unstubGlobals: true,
    // What a mock was called with is forgotten: restoreMocks does that to spies alone.
    clearMocks: true,
    restoreMocks: true,
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["./src/test-setup.ts"],
  },
});
