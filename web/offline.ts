import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const SOURCE = "src/offline/serviceWorker.js";

/** Builds the service worker with the list of this version's files. */
export function offline(): Plugin {
  let root = "";
  let publicDir = "";
  return {
    name: "recordroute-offline",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      root = config.root;
      publicDir = config.publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const contents = new Map<string, string | Uint8Array>();
        for (const [name, file] of Object.entries(bundle)) {
          contents.set(`/${name}`, file.type === "chunk" ? file.code : file.source);
        }
        for (const name of readdirSync(publicDir)) {
          contents.set(`/${name}`, readFileSync(join(publicDir, name)));
        }
        const files = [...contents.keys()].sort();
        const worker = readFileSync(join(root, SOURCE), "utf8");
        const hash = createHash("sha256").update(worker);
        for (const name of files) hash.update(name).update(contents.get(name) ?? "");
        this.emitFile({
          type: "asset",
          fileName: "sw.js",
          source: worker
            .replace("__VERSION__", hash.digest("hex").slice(0, 16))
            .replace("__FILES__", files.join(" ")),
        });
      },
    },
  };
}
