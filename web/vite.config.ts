import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = process.env.RECORDROUTE_WEB_GATEWAY ?? "http://127.0.0.1:7180";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../services/gateway/src/recordroute_gateway/web/static",
    emptyOutDir: true,
    target: "es2023",
    // The strict content security policy allows no inline module, and browsers of the target need no polyfill.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: {
    proxy: Object.fromEntries(
      ["^/recordroute\\.", "/media", "/session"].map((path) => [
        path,
        { target: gateway, changeOrigin: true },
      ]),
    ),
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["./src/test-setup.ts"],
  },
});
