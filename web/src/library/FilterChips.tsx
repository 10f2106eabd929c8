import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { currentLanguage, currentLocale } from "@/i18n";
import { dayText } from "@/lib/days";
import { languageName } from "@/lib/languages";
import { Button } from "@/ui/Button";
import styles from "./FilterChips.module.css";
import { countConditions, type Filter, withoutConditions } from "./filter";

type Chip = { text: string; without: Partial<Filter> };

function useChips(filter: Filter): Chip[] {
  const { t } = useTranslation("library");
  const { tags, folder, from, to, languages, speakers, states, kinds } = filter;
  const chips: Chip[] = [];
  for (const state of states)
    chips.push({ text: t(`state_${state}`), without: { states: states.filter((other) => other !== state) } });
  for (const kind of kinds)
    chips.push({ text: t(`kind_${kind}`), without: { kinds: kinds.filter((other) => other !== kind) } });
  if (folder !== "") chips.push({ text: `${t("folder")}: ${folder}`, without: { folder: "" } });
  for (const tag of tags)
    chips.push({ text: `#${tag}`, without: { tags: tags.filter((other) => other !== tag) } });
  for (const name of speakers) {
    const text = `${t("speaker")}: ${name}`;
    chips.push({ text, without: { speakers: speakers.filter((other) => other !== name) } });
  }
  for (const code of languages) {
    const text = languageName(code, currentLanguage());
    chips.push({ text, without: { languages: languages.filter((other) => other !== code) } });
  }
  if (from !== "")
    chips.push({ text: t("fromDay", { day: dayText(from, currentLocale()) }), without: { from: "" } });
  if (to !== "") chips.push({ text: t("toDay", { day: dayText(to, currentLocale()) }), without: { to: "" } });
  return chips;
}

type FilterChipsProps = { filter: Filter; onChange: (change: Partial<Filter>) => void };

/** The conditions that are set: each can be taken away. */
export function FilterChips({ filter, onChange }: FilterChipsProps) {
  const { t } = useTranslation("library");
  const chips = useChips(filter);
  if (chips.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label={t("filters")}>
      {chips.map(({ text, without }) => (
        <li key={text}>
          <button
            type="button"
            className={styles.chip}
            aria-label={t("removeFilter", { filter: text })}
            onClick={() => onChange(without)}
          >
            {text}
            <X aria-hidden />
          </button>
        </li>
      ))}
      {countConditions(filter) > 1 && (
        <li>
          <Button
            size="small"
            variant="ghost"
            onClick={() => onChange({ ...withoutConditions(filter), text: filter.text })}
          >
            {t("clearFilters")}
          </Button>
        </li>
      )}
    </ul>
  );
}
