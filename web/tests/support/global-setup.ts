import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FullConfig } from "@playwright/test";
import { isStarted, PLACE } from "./place";

const ROOT = join(import.meta.dirname, "../../..");
/** What Playwright is to run, of `--project`: the others need neither Envoy nor a filled library. */
function selectedProjects(config: FullConfig): Set<string> {
  const named = process.argv.flatMap((word, index) => {
    if (word.startsWith("--project=")) return [word.slice("--project=".length)];
    return word === "--project" ? [process.argv[index + 1] ?? ""] : [];
  });
  return new Set(named.length > 0 ? named : config.projects.map((project) => project.name));
}

/**
 * Starts the system that the tests run against, and returns what stops it. What `tests/web/serve.py` has printed can be
 * given in RECORDROUTE_WEB_TESTS: then that system is taken, and left running.
 */
export default async function globalSetup(config: FullConfig): Promise<() => Promise<void>> {
  if (isStarted()) return async () => {};
  const projects = selectedProjects(config);
  const options = projects.has("screenshots") ? ["--shelf=many", "--models=default"] : ["--shelf=none"];
  if (projects.has("envoy")) options.push("--envoy");
  const kept = process.env.RECORDROUTE_WEB_DATA;
  if (kept !== undefined) options.push("--data-dir", kept);
  const system = spawn(join(ROOT, ".venv/bin/python"), ["tests/web/serve.py", ...options], {
    cwd: ROOT,
    env: { PYTHONPATH: "tests/deploy", ...process.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => system.once("exit", resolve));
  const lines = createInterface({ input: system.stdout });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", resolve)),
    ended.then((code) => {
      throw new Error(`tests/web/serve.py ended with ${code}`);
    }),
  ]);
  process.env[PLACE] = first;
  return async () => {
    system.stdin.end();
    await ended;
  };
}
