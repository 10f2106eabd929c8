import { useQuery } from "@tanstack/react-query";
import { ListFilter, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { keys } from "@/api/queries";
import { currentLocale } from "@/i18n";
import { dayText } from "@/lib/days";
import { languageName } from "@/lib/languages";
import { Button } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import styles from "./FilterBar.module.css";
import { FilterPanel } from "./FilterPanel";
import { type Filters, hasFilters, NO_FILTERS } from "./filters";

function Chip({ text, onRemove }: { text: string; onRemove: () => void }) {
  const { t } = useTranslation("search");
  return (
    <li className={styles.chip}>
      <span>{text}</span>
      <button type="button" aria-label={t("removeFilter", { filter: text })} onClick={onRemove}>
        <X aria-hidden />
      </button>
    </li>
  );
}

function RecordingChip({ id, onRemove }: { id: string; onRemove: () => void }) {
  const { t } = useTranslation("search");
  const recording = useQuery({
    queryKey: keys.recording(id),
    queryFn: async () => {
      const answer = await library.getRecording({ recordingId: id });
      if (answer.recording === undefined) throw new Error("the answer has no recording");
      return answer.recording;
    },
  });
  return <Chip text={t("inRecording", { title: recording.data?.title ?? "…" })} onRemove={onRemove} />;
}

type FilterBarProps = { filters: Filters; onChange: (filters: Filters) => void };

/** What is narrowed, each as a chip that can be taken away, and the panel to change it. */
export function FilterBar({ filters, onChange }: FilterBarProps) {
  const { t } = useTranslation("search");
  const language = currentLocale();
  const [isOpen, setOpen] = useState(false);
  const without = (values: string[], value: string) => values.filter((other) => other !== value);
  return (
    <div className={styles.bar}>
      <Popover
        label={t("filters")}
        align="start"
        open={isOpen}
        onOpenChange={setOpen}
        trigger={
          <Button size="small" icon={<ListFilter />}>
            {t("filters")}
          </Button>
        }
      >
        <FilterPanel filters={filters} onChange={onChange} />
      </Popover>
      {hasFilters(filters) && (
        <>
          <ul className={styles.chips} aria-label={t("activeFilters")}>
            {filters.from !== "" && (
              <Chip
                text={t("fromDay", { day: dayText(filters.from, language) })}
                onRemove={() => onChange({ ...filters, from: "" })}
              />
            )}
            {filters.to !== "" && (
              <Chip
                text={t("toDay", { day: dayText(filters.to, language) })}
                onRemove={() => onChange({ ...filters, to: "" })}
              />
            )}
            {filters.folder !== "" && (
              <Chip
                text={t("inFolder", { folder: filters.folder })}
                onRemove={() => onChange({ ...filters, folder: "" })}
              />
            )}
            {filters.tags.map((tag) => (
              <Chip
                key={tag}
                text={t("withTag", { tag })}
                onRemove={() => onChange({ ...filters, tags: without(filters.tags, tag) })}
              />
            ))}
            {filters.speakers.map((speaker) => (
              <Chip
                key={speaker}
                text={t("bySpeaker", { speaker })}
                onRemove={() => onChange({ ...filters, speakers: without(filters.speakers, speaker) })}
              />
            ))}
            {filters.languages.map((code) => (
              <Chip
                key={code}
                text={languageName(code, language)}
                onRemove={() => onChange({ ...filters, languages: without(filters.languages, code) })}
              />
            ))}
            {filters.recordingIds.map((id) => (
              <RecordingChip
                key={id}
                id={id}
                onRemove={() => onChange({ ...filters, recordingIds: without(filters.recordingIds, id) })}
              />
            ))}
          </ul>
          <Button size="small" variant="ghost" onClick={() => onChange(NO_FILTERS)}>
            {t("clearFilters")}
          </Button>
        </>
      )}
    </div>
  );
}
