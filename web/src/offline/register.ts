const HOUR_MS = 3_600_000;

/**
 * Installs the service worker, and calls `onNewVersion` when another version of the page is there, with what puts it
 * in the place of this one.
 */
async function register(onNewVersion: (take: () => void) => void): Promise<void> {
  const workers = navigator.serviceWorker;
  const registration = await workers.register("/sw.js", { updateViaCache: "none" });
  const offer = (worker: ServiceWorker) => {
    // The first one replaces nothing.
    if (workers.controller === null) return;
    onNewVersion(() => {
      workers.addEventListener("controllerchange", () => window.location.reload(), { once: true });
      worker.postMessage("activate");
    });
  };
  if (registration.waiting !== null) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed") offer(worker);
    });
  });
  setInterval(() => void registration.update().catch(ignore), HOUR_MS);
}

/** Without it the page works as before, but only with its server. */
function ignore(): void {}

/** Once the page has been loaded: its first view comes first. */
export function registerServiceWorker(onNewVersion: (take: () => void) => void): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const begin = () => void register(onNewVersion).catch(ignore);
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin, { once: true });
}
