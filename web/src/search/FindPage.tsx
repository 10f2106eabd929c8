import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearch } from "wouter";
import { EmptyState } from "@/ui/State";
import { AskView } from "./AskView";
import { ask } from "./conversation";
import { FilterBar } from "./FilterBar";
import { FindBox } from "./FindBox";
import styles from "./FindPage.module.css";
import { type FindState, findAddress, NO_FILTERS, parseFind } from "./filters";
import { PlayerBar } from "./PlayerBar";
import { PlayerProvider, useNewPlayer } from "./player";
import { RecentQueries } from "./RecentQueries";
import { useRecentQueries, useRememberOnLeaving } from "./recent";
import { SearchResults } from "./SearchResults";
import { useSlashKey } from "./useSlashKey";

const TYPING_PAUSE_MS = 300;

/** Search and questions in one place; the address holds the query, the mode and the filters. */
export default function FindPage() {
  const { t } = useTranslation("search");
  const [, navigate] = useLocation();
  const state = parseFind(useSearch());
  const { query, mode, filters } = state;
  const [text, setText] = useState(query);
  const box = useRef<HTMLInputElement>(null);
  const typing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const recent = useRecentQueries();
  const player = useNewPlayer();
  useSlashKey(box);
  useRememberOnLeaving(mode === "search" ? query : "");

  useEffect(() => {
    document.title = `${t("title")} · RecordRoute`;
  }, [t]);
  useEffect(() => {
    // On phones the keyboard would cover what is there.
    if (window.matchMedia("(pointer: fine)").matches) box.current?.focus();
    return () => clearTimeout(typing.current);
  }, []);
  // The address changes by itself, too: the way back, or a link to a query.
  useEffect(() => {
    if (mode === "search") setText((written) => (written.trim() === query ? written : query));
  }, [query, mode]);

  const go = (next: Partial<FindState>, isStep = false) => {
    clearTimeout(typing.current);
    navigate(findAddress({ ...state, ...next }), { replace: !isStep });
  };
  const type = (next: string) => {
    setText(next);
    clearTimeout(typing.current);
    if (mode === "search") typing.current = setTimeout(() => go({ query: next.trim() }), TYPING_PAUSE_MS);
  };
  const submit = (chosen = text) => {
    const wanted = chosen.trim();
    if (wanted === "") return;
    if (mode === "ask") {
      void ask(wanted, filters);
      setText("");
      go({ query: "" });
    } else {
      recent.add(wanted);
      setText(wanted);
      go({ query: wanted }, wanted !== query);
    }
  };
  // A link to a question asks it; the address then holds it no more, so that a reload does not ask again.
  const linked = mode === "ask" ? query : "";
  const asked = useRef("");
  useEffect(() => {
    if (linked === "" || linked === asked.current) return;
    asked.current = linked;
    const narrowed = parseFind(window.location.search).filters;
    setText("");
    navigate(findAddress({ query: "", mode: "ask", filters: narrowed }), { replace: true });
    void ask(linked, narrowed);
  }, [linked, navigate]);

  const renderResults = () => {
    if (mode === "ask") return <AskView filters={filters} />;
    if (query !== "") {
      return (
        <SearchResults
          query={query}
          filters={filters}
          onClearFilters={() => go({ filters: NO_FILTERS })}
          onAsk={() => {
            void ask(query, filters);
            go({ mode: "ask", query: "" }, true);
          }}
        />
      );
    }
    if (recent.queries.length > 0) return <RecentQueries recent={recent} onChoose={submit} />;
    return <EmptyState icon={<Search />} title={t("searchTitle")} text={t("searchText")} />;
  };
  return (
    <PlayerProvider value={player}>
      <div className={styles.page}>
        <h1>{t("title")}</h1>
        <FindBox
          box={box}
          mode={mode}
          text={text}
          onText={type}
          onMode={(next) => {
            go({ mode: next, query: next === "search" ? text.trim() : "" });
            box.current?.focus();
          }}
          onSubmit={() => submit()}
        />
        <FilterBar filters={filters} onChange={(next) => go({ filters: next })} />
        {renderResults()}
        <PlayerBar />
      </div>
    </PlayerProvider>
  );
}
