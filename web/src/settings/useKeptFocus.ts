import { type FocusEvent, useCallback, useRef } from "react";

const FOCUSABLE = "button:not(:disabled), a[href]";

/**
 * Keeps the focus in a list whose rows and buttons come and go by what is done with them: where the one that had it is
 * gone, the row in its place gets it. Else whoever works by keyboard would begin at the top of the page again. Returns
 * the list's properties.
 */
export function useKeptFocus() {
  /** Of the row that has the focus; -1: none. */
  const row = useRef(-1);
  const ref = useCallback((list: HTMLUListElement | null) => {
    if (list === null) return;
    const observer = new MutationObserver(() => {
      if (row.current < 0 || document.activeElement !== document.body) return;
      const place = list.children[Math.min(row.current, list.children.length - 1)];
      place?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
    });
    observer.observe(list, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, []);
  return {
    ref,
    onFocus: ({ currentTarget, target }: FocusEvent<HTMLUListElement>) => {
      row.current = [...currentTarget.children].findIndex((one) => one.contains(target));
    },
    // React tells of no blur while it takes out what has the focus.
    onBlur: () => {
      row.current = -1;
    },
  };
}
