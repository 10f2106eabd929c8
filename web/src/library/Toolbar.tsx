import { ArrowDownUp, ListFilter, Search, X } from "lucide-react";
import { lazy, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import { Deferred } from "@/ui/Deferred";
import { TextField } from "@/ui/Field";
import { countConditions, type Filter } from "./filter";
import styles from "./Toolbar.module.css";

const FilterPopover = lazy(() => import("./FilterPopover"));
const SortMenu = lazy(() => import("./SortMenu"));

const TYPING_MS = 200;

type ToolbarProps = { filter: Filter; onChange: (change: Partial<Filter>, isTyped?: boolean) => void };

/** What of the list is shown, and in which order. */
export function Toolbar({ filter, onChange }: ToolbarProps) {
  const { t } = useTranslation("library");
  const count = countConditions(filter);
  const filterButton = (
    <Button
      icon={<ListFilter />}
      className={styles.button}
      aria-label={count === 0 ? t("filter") : t("filterCount", { count })}
    >
      <span className={styles.text}>{t("filter")}</span>
      {count > 0 && <span className={styles.count}>{count}</span>}
    </Button>
  );
  const sortButton = (
    <Button
      icon={<ArrowDownUp />}
      className={styles.button}
      aria-label={t("sortBy", { order: t(`sort_${filter.sort}`) })}
    >
      <span className={styles.text}>{t(`sort_${filter.sort}`)}</span>
    </Button>
  );
  return (
    <search className={styles.bar}>
      <SearchField text={filter.text} onSearch={(text) => onChange({ text }, true)} />
      <Deferred opens="dialog" trigger={filterButton}>
        <FilterPopover filter={filter} trigger={filterButton} onChange={onChange} />
      </Deferred>
      <Deferred opens="menu" trigger={sortButton}>
        <SortMenu filter={filter} trigger={sortButton} onChange={onChange} />
      </Deferred>
    </search>
  );
}

/** Searches a moment after the last letter. */
function SearchField({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const { t } = useTranslation("library");
  const [draft, setDraft] = useState(text);
  const told = useRef(text);
  const field = useRef<HTMLInputElement>(null);
  const search = useRef(onSearch);
  search.current = onSearch;
  useEffect(() => {
    // It was changed elsewhere: cleared, or by the browser's way back.
    if (text !== told.current) setDraft(text);
    told.current = text;
  }, [text]);
  useEffect(() => {
    if (draft === told.current) return;
    const timer = setTimeout(() => {
      told.current = draft;
      search.current(draft);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [draft]);
  return (
    <div className={styles.search}>
      <TextField
        ref={field}
        label={t("search")}
        hideLabel
        type="search"
        icon={<Search />}
        placeholder={t("searchShort")}
        value={draft}
        maxLength={300}
        className={styles.searchInput}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && !event.nativeEvent.isComposing) setDraft("");
        }}
      />
      {draft !== "" && (
        <IconButton
          size="small"
          className={styles.clear}
          label={t("clearSearch")}
          icon={<X />}
          onClick={() => {
            setDraft("");
            field.current?.focus();
          }}
        />
      )}
    </div>
  );
}
