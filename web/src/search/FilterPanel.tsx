import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useDeferredValue, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { useFacets } from "@/api/facets";
import { keys } from "@/api/queries";
import { currentLanguage } from "@/i18n";
import { languageName } from "@/lib/languages";
import { IconButton } from "@/ui/Button";
import { CheckboxGroup } from "@/ui/CheckboxGroup";
import { Select, TextField } from "@/ui/Field";
import styles from "./FilterBar.module.css";
import type { Filters } from "./filters";

const SHOWN = 6;

type ChangeProps = { filters: Filters; onChange: (filters: Filters) => void };

function SpeakerField({ filters, onChange, known }: ChangeProps & { known: readonly string[] }) {
  const { t } = useTranslation("search");
  const listId = useId();
  const [name, setName] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    const speaker = name.trim();
    if (speaker === "") return;
    if (!filters.speakers.includes(speaker)) {
      onChange({ ...filters, speakers: [...filters.speakers, speaker] });
    }
    setName("");
  };
  return (
    <form className={styles.add} onSubmit={add}>
      <TextField
        label={t("filterSpeaker")}
        placeholder={t("speakerPlaceholder")}
        list={listId}
        autoComplete="off"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <datalist id={listId}>
        {known
          .filter((speaker) => !filters.speakers.includes(speaker))
          .map((speaker) => (
            <option key={speaker} value={speaker} />
          ))}
      </datalist>
      <IconButton type="submit" variant="secondary" label={t("addSpeaker")} icon={<Plus />} />
    </form>
  );
}

function RecordingField({ filters, onChange }: ChangeProps) {
  const { t } = useTranslation("search");
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim());
  const list = useQuery({
    queryKey: keys.recordingPicker(wanted),
    queryFn: () => library.listRecordings({ text: wanted, pageSize: SHOWN }),
    enabled: wanted !== "",
  });
  const found = (list.data?.recordings ?? []).filter(({ id }) => !filters.recordingIds.includes(id));
  return (
    <div className={styles.group}>
      <TextField
        label={t("filterRecording")}
        placeholder={t("recordingPlaceholder")}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {wanted !== "" && list.data !== undefined && (
        <div className={styles.found} role="status">
          {found.length === 0 && <p className={styles.muted}>{t("noRecording")}</p>}
          {found.map((recording) => (
            <button
              key={recording.id}
              type="button"
              onClick={() => {
                onChange({ ...filters, recordingIds: [...filters.recordingIds, recording.id] });
                setText("");
              }}
            >
              {recording.title}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Everything that a search can be narrowed to; it holds at once. */
export function FilterPanel({ filters, onChange }: ChangeProps) {
  const { t } = useTranslation("search");
  const facets = useFacets();
  const { tags = [], folders = [], languages = [], speakers = [] } = facets.data ?? {};
  return (
    <>
      <div className={styles.dates}>
        <TextField
          label={t("filterFrom")}
          type="date"
          value={filters.from}
          max={filters.to || undefined}
          onChange={(event) => onChange({ ...filters, from: event.target.value })}
        />
        <TextField
          label={t("filterTo")}
          type="date"
          value={filters.to}
          min={filters.from || undefined}
          onChange={(event) => onChange({ ...filters, to: event.target.value })}
        />
      </div>
      {folders.length > 0 && (
        <Select
          label={t("filterFolder")}
          value={filters.folder}
          onChange={(event) => onChange({ ...filters, folder: event.target.value })}
        >
          <option value="">{t("anyFolder")}</option>
          {folders.map(({ value }) => (
            <option key={value} value={value}>
              {value}
            </option>
          ))}
        </Select>
      )}
      {tags.length > 0 && (
        <CheckboxGroup
          flows
          label={t("filterTag")}
          options={tags.map(({ value }) => ({ value, label: value }))}
          chosen={filters.tags}
          onChange={(chosen) => onChange({ ...filters, tags: chosen })}
        />
      )}
      {languages.length > 0 && (
        <CheckboxGroup
          flows
          label={t("filterLanguage")}
          options={languages.map(({ value }) => ({ value, label: languageName(value, currentLanguage()) }))}
          chosen={filters.languages}
          onChange={(chosen) => onChange({ ...filters, languages: chosen })}
        />
      )}
      <SpeakerField filters={filters} onChange={onChange} known={speakers.map(({ value }) => value)} />
      <RecordingField filters={filters} onChange={onChange} />
    </>
  );
}
