// Says which generated files are not those of their sources: the messages of the contract, and the built client that
// ships with the gateway. Exits 1 then.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "vite";

const web = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "recordroute-web-"));

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Returns the names that are in one of the folders only, or differ. */
function differences(committed, fresh) {
  const names = new Set([...filesBelow(committed), ...filesBelow(fresh)]);
  return [...names].sort().filter((name) => {
    try {
      return !readFileSync(join(committed, name)).equals(readFileSync(join(fresh, name)));
    } catch (error) {
      if (error.code === "ENOENT") return true;
      throw error;
    }
  });
}

try {
  execFileSync("npm", ["run", "--silent", "generate", "--", "--output", scratch], {
    cwd: web,
    stdio: "inherit",
  });
  const committed = join(web, "../services/gateway/src/recordroute_gateway/web/static");
  const fresh = join(scratch, "static");
  await build({ root: web, logLevel: "warn", build: { outDir: fresh, emptyOutDir: true } });
  const checks = [
    ["make web-generate", join(web, "src/gen"), join(scratch, "src/gen")],
    ["make web", committed, fresh],
  ];
  for (const [remedy, before, after] of checks) {
    const stale = differences(before, after).map((name) => relative(process.cwd(), join(before, name)));
    if (stale.length === 0) continue;
    process.stderr.write(`stale, run \`${remedy}\`:\n${stale.join("\n")}\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true });
}
