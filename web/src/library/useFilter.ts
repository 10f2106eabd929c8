import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import { type Filter, readFilter, writeFilter } from "./filter";

/** The filter, kept in the page's address. Typing does not fill the history; what is chosen can be gone back from. */
export function useFilter(): [Filter, (change: Partial<Filter>, isTyped?: boolean) => void] {
  const [params, setParams] = useSearchParams();
  const text = params.toString();
  const filter = useMemo(() => readFilter(new URLSearchParams(text)), [text]);
  const change = useCallback(
    (values: Partial<Filter>, isTyped = false) => {
      setParams((before) => writeFilter({ ...readFilter(before), ...values }), { replace: isTyped });
    },
    [setParams],
  );
  return [filter, change];
}
