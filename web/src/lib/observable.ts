import { useSyncExternalStore } from "react";

/** A value outside of React that components can follow: it stays when the page that shows it is left. */
export class Observable<T> {
  #value: T;
  #followers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get = (): T => this.#value;

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const follower of this.#followers) follower();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  /** Calls `follower` after each change; returns how to stop that. */
  subscribe = (follower: () => void): (() => void) => {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  };
}

export function useObservable<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.subscribe, observable.get);
}
