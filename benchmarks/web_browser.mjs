// Chromium driven by its own protocol, with nothing between the page and the network: Playwright slows uploads tenfold.
// benchmarks/web.py starts it with a JSON of what to do; it prints a JSON of what was measured.
import { spawn } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--window-size=1280,800",
  "--remote-debugging-port=0",
];
/** Notes when something first shows, and when the main thread was last busy for longer than 50 ms. */
const OBSERVER = `
  window.__longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.__longTasks.push(entry.startTime + entry.duration);
  }).observe({ type: "longtask", buffered: true });
  window.__when = (selector) => new Promise((resolve) => {
    const look = () => {
      const found = document.querySelector(selector);
      if (found?.textContent.trim()) resolve(performance.now());
      else requestAnimationFrame(look);
    };
    look();
  });
`;

class Chromium {
  static async launch(options = []) {
    const profile = mkdtempSync(join(tmpdir(), "recordroute-bench-"));
    const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
    const browser = spawn(path, [...ARGUMENTS, `--user-data-dir=${profile}`, ...options], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let address;
    for await (const line of createInterface({ input: browser.stderr })) {
      address = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (address) break;
    }
    browser.stderr.resume();
    const socket = new WebSocket(address);
    await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
    return new Chromium(browser, socket, profile);
  }

  #browser;
  #socket;
  #profile;
  #session;
  #last = 0;
  #waiting = new Map();

  constructor(browser, socket, profile) {
    this.#browser = browser;
    this.#socket = socket;
    this.#profile = profile;
    socket.addEventListener("message", ({ data }) => {
      const { id, result, error } = JSON.parse(data);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    });
  }

  send(method, params = {}) {
    this.#last += 1;
    const id = this.#last;
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async open(url, slowdown = 1) {
    // The window's own page: one that is opened beside it stands behind it, and gets no frames.
    const { targetInfos } = await this.send("Target.getTargets");
    const { targetId } = targetInfos.find((target) => target.type === "page");
    this.#session = (await this.send("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    await this.send("Page.enable");
    await this.send("Page.addScriptToEvaluateOnNewDocument", { source: OBSERVER });
    await this.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
    await this.send("Page.navigate", { url });
    // The old document is still there for a moment.
    await this.evaluate(`new Promise((resolve) => {
      const wait = () => (location.href === "about:blank" ? setTimeout(wait, 5) : resolve());
      wait();
    })`).catch(() => null);
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async choose(selector, files) {
    const { root } = await this.send("DOM.getDocument");
    const { nodeId } = await this.send("DOM.querySelector", { nodeId: root.nodeId, selector });
    await this.send("DOM.setFileInputFiles", { nodeId, files });
  }

  async close() {
    this.#browser.kill();
    await new Promise((resolve) => this.#browser.once("exit", resolve));
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** When the page shows what it is for, and when its main thread is free from then on. */
async function cold({ url, selector, slowdown }) {
  const chromium = await Chromium.launch();
  try {
    await chromium.open(url, slowdown);
    const shown = await chromium.evaluate(`__when(${JSON.stringify(selector)})`);
    await sleep(1500 * slowdown);
    const busy = await chromium.evaluate("Math.max(0, ...__longTasks)");
    const paint = await chromium.evaluate(
      `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null`,
    );
    const loaded = await chromium.evaluate(
      `performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname)`,
    );
    return { paint, shown, interactive: Math.max(shown, busy), loaded };
  } finally {
    await chromium.close();
  }
}

/** Scrolls at one speed, and times the frames. */
async function scroll({ url, selector, scroller, slowdown, distance, speed }) {
  const chromium = await Chromium.launch();
  try {
    await chromium.open(url, slowdown);
    const shown = await chromium.evaluate(`__when(${JSON.stringify(selector)})`);
    await sleep(2000);
    const frames = await chromium.evaluate(`new Promise((resolve) => {
      let view = document.querySelector(${JSON.stringify(scroller)});
      while (view.scrollHeight <= view.clientHeight || getComputedStyle(view).overflowY === "visible")
        view = view.parentElement;
      const frames = [];
      let before;
      let left = ${distance};
      const frame = (now) => {
        if (before !== undefined) {
          frames.push(now - before);
          const step = ((now - before) / 1000) * ${speed};
          view.scrollTop += step;
          left -= step;
        }
        before = now;
        if (left > 0) requestAnimationFrame(frame);
        else resolve(frames);
      };
      requestAnimationFrame(frame);
    })`);
    const elements = await chromium.evaluate(`document.querySelectorAll("*").length`);
    const heap = await chromium.evaluate("performance.memory.usedJSHeapSize");
    return { shown, frames, elements, heap };
  } finally {
    await chromium.close();
  }
}

/** Records from the fake microphone and times the pushes as the browser saw them. */
async function live({ url, start, stop, microphone, seconds }) {
  const chromium = await Chromium.launch([
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${microphone}`,
  ]);
  try {
    await chromium.open(url);
    await chromium.evaluate(`__when(${JSON.stringify(start)})`);
    await chromium.evaluate(`(() => {
      performance.setResourceTimingBufferSize(10000);
      document.querySelector(${JSON.stringify(start)}).click();
    })()`);
    await sleep(seconds * 1000);
    const pushes = await chromium.evaluate(`performance.getEntriesByType("resource")
      .filter((entry) => entry.name.endsWith("/PushLiveAudio"))
      .map((entry) => entry.duration)`);
    await chromium.evaluate(`[...document.querySelectorAll("button")]
      .find((button) => button.textContent === ${JSON.stringify(stop)}).click()`);
    await sleep(1500);
    return { pushes };
  } finally {
    await chromium.close();
  }
}

/** A page with a file field, and a server that takes what is put to it. */
async function sink() {
  const server = createServer((request, response) => {
    if (request.method === "PUT") {
      request.resume();
      request.on("end", () => response.end());
    } else {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><input type=file>");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

async function put({ file }) {
  const chromium = await Chromium.launch();
  const server = await sink();
  try {
    await chromium.open(server.url);
    await chromium.evaluate(`new Promise((resolve) => {
      if (document.readyState === "complete") resolve();
      else addEventListener("load", resolve);
    })`);
    await chromium.choose("input", [file]);
    return await chromium.evaluate(`(async () => {
      const before = performance.now();
      await fetch("/", { method: "PUT", body: document.querySelector("input").files[0] });
      return { seconds: (performance.now() - before) / 1000 };
    })()`);
  } finally {
    server.close();
    await chromium.close();
  }
}

/** Gives the library page a file; it is uploaded when the last call of the upload has been answered. */
async function upload({ url, ready, file }) {
  const chromium = await Chromium.launch();
  try {
    await chromium.open(url);
    await chromium.evaluate(`__when(${JSON.stringify(ready)})`);
    await sleep(1000);
    await chromium.evaluate(`(() => {
      window.__begun = performance.now();
      window.__done = new Promise((resolve) => {
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            if (entry.name.endsWith("/CompleteUpload")) resolve(entry.responseEnd - window.__begun);
          }
        }).observe({ type: "resource" });
      });
    })()`);
    await chromium.choose("input[type=file]:not([webkitdirectory])", [file]);
    return { seconds: (await chromium.evaluate("__done")) / 1000 };
  } finally {
    await chromium.close();
  }
}

const jobs = { cold, scroll, live, put, upload };
for await (const line of createInterface({ input: createReadStream(null, { fd: 0 }) })) {
  const { job, ...options } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await jobs[job](options))}\n`);
}
