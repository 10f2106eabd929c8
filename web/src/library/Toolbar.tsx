import { ArrowDownUp, ListFilter, Search, X } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import { TextField } from "@/ui/Field";
import { Menu, MenuChoice, MenuLabel, MenuSeparator } from "@/ui/Menu";
import { Popover } from "@/ui/Popover";
import { Spinner } from "@/ui/Spinner";
import { countConditions, type Filter, SORTS } from "./filter";
import styles from "./Toolbar.module.css";

const FilterForm = lazy(() => import("./FilterForm"));

const TYPING_MS = 200;

type ToolbarProps = { filter: Filter; onChange: (change: Partial<Filter>, isTyped?: boolean) => void };

/** What of the list is shown, and in which order. */
export function Toolbar({ filter, onChange }: ToolbarProps) {
  const { t } = useTranslation("library");
  const count = countConditions(filter);
  return (
    <search className={styles.bar}>
      <SearchField text={filter.text} onSearch={(text) => onChange({ text }, true)} />
      <Popover
        label={t("filters")}
        trigger={
          <Button
            icon={<ListFilter />}
            className={styles.button}
            aria-label={count === 0 ? t("filter") : t("filterCount", { count })}
          >
            <span className={styles.text}>{t("filter")}</span>
            {count > 0 && <span className={styles.count}>{count}</span>}
          </Button>
        }
      >
        <Suspense fallback={<Spinner />}>
          <FilterForm filter={filter} onChange={onChange} />
        </Suspense>
      </Popover>
      <Menu
        trigger={
          <Button
            icon={<ArrowDownUp />}
            className={styles.button}
            aria-label={t("sortBy", { order: t(`sort_${filter.sort}`) })}
          >
            <span className={styles.text}>{t(`sort_${filter.sort}`)}</span>
          </Button>
        }
      >
        <MenuLabel>{t("sort")}</MenuLabel>
        {SORTS.map((sort) => (
          <MenuChoice
            key={sort}
            checked={filter.sort === sort}
            onSelect={() => onChange({ sort, isAscending: sort === "title" })}
          >
            {t(`sort_${sort}`)}
          </MenuChoice>
        ))}
        <MenuSeparator />
        <MenuChoice checked={!filter.isAscending} onSelect={() => onChange({ isAscending: false })}>
          {t(filter.sort === "title" ? "titleDescending" : "descending")}
        </MenuChoice>
        <MenuChoice checked={filter.isAscending} onSelect={() => onChange({ isAscending: true })}>
          {t(filter.sort === "title" ? "titleAscending" : "ascending")}
        </MenuChoice>
      </Menu>
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
        placeholder={t("search")}
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
