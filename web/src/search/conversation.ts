import i18next from "i18next";
import { useSyncExternalStore } from "react";
import { errorText, isAborted } from "@/api/errors";
import { search } from "@/api/search";
import { type Exchange, ended, historyOf, newExchange, withMessage } from "./exchange";
import { type Filters, filterFields } from "./filters";

// Another name for each shape of what is kept.
const STORED = "recordroute.conversation.2";

function restored(): Exchange[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
    // A reload ends the stream of an answer.
    return Array.isArray(stored) ? stored.map((exchange: Exchange) => ended(exchange, "stopped")) : [];
  } catch {
    return [];
  }
}

/** The conversation of this tab. It lives outside of the page: an answer goes on while another page is shown. */
let exchanges: readonly Exchange[] = restored();
let running: AbortController | null = null;
const listeners = new Set<() => void>();

function set(next: readonly Exchange[]): void {
  exchanges = next;
  for (const listener of listeners) listener();
}

function keep(): void {
  try {
    if (exchanges.length === 0) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, JSON.stringify(exchanges));
  } catch {
    // A conversation too large to be kept over a reload goes on without that.
    sessionStorage.removeItem(STORED);
  }
}

function change(id: string, by: (exchange: Exchange) => Exchange): void {
  set(exchanges.map((exchange) => (exchange.id === id ? by(exchange) : exchange)));
}

/** Asks a question; the answer comes into the conversation. */
export async function ask(question: string, filters: Filters): Promise<void> {
  stop();
  const stopped = new AbortController();
  running = stopped;
  const history = historyOf(exchanges);
  const exchange = newExchange(crypto.randomUUID(), question);
  set([...exchanges, exchange]);
  keep();
  try {
    const request = { question, history, ...filterFields(filters) };
    for await (const message of search.ask(request, { signal: stopped.signal })) {
      change(exchange.id, (known) => withMessage(known, message));
    }
    // A stream that ends without a result was cut off.
    change(exchange.id, (known) => ended(known, "failed", i18next.t("api:code_Unknown")));
  } catch (error) {
    const reason = isAborted(error) ? "stopped" : "failed";
    const text = reason === "failed" ? errorText(error, i18next.getFixedT(null, "api")) : "";
    change(exchange.id, (known) => ended(known, reason, text));
  } finally {
    if (running === stopped) running = null;
    keep();
  }
}

/** Ends the answer that is being written. */
export function stop(): void {
  running?.abort();
  running = null;
}

/** Begins a new conversation. */
export function clearConversation(): void {
  stop();
  set([]);
  keep();
}

export function useConversation(): readonly Exchange[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => exchanges,
  );
}
