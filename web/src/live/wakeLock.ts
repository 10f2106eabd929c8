/** Keeps the screen on as long as it is wanted: phones stop pages whose screen goes dark. */
export class WakeLock {
  #sentinel: WakeLockSentinel | null = null;
  #wanted = false;

  hold(): void {
    this.#wanted = true;
    document.addEventListener("visibilitychange", this.#ask);
    this.#ask();
  }

  release(): void {
    this.#wanted = false;
    document.removeEventListener("visibilitychange", this.#ask);
    void this.#sentinel?.release();
    this.#sentinel = null;
  }

  /** The browser takes it back whenever the page is hidden. */
  #ask = (): void => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (sentinel) => {
        if (this.#wanted) this.#sentinel = sentinel;
        else void sentinel.release();
      },
      // A battery that is low, or a setting of the system: it is recorded all the same.
      () => undefined,
    );
  };
}
