const NAME = "recordroute.live";

/** Only one tab records, or sends what was recorded: returns how to let others do it, or null where another tab does. */
export function takeLock(): Promise<(() => void) | null> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(NAME, { ifAvailable: true }, (lock) => {
        if (lock === null) {
          resolve(null);
          return undefined;
        }
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

export async function isLockTaken(): Promise<boolean> {
  const { held } = await navigator.locks.query();
  return held?.some((lock) => lock.name === NAME) ?? false;
}

/** Waits until no tab has it. */
export async function untilLockIsFree(): Promise<void> {
  await navigator.locks.request(NAME, { mode: "shared" }, () => undefined);
}
