import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useFacets } from "@/api/facets";
import type { Facet } from "@/gen/recordroute/gateway/v1/library_pb";
import { currentLanguage } from "@/i18n";
import { languageName } from "@/lib/languages";
import { Button } from "@/ui/Button";
import { Checkbox, Select, TextField } from "@/ui/Field";
import styles from "./FilterForm.module.css";
import { countConditions, type Filter, KINDS, STATES, withoutConditions } from "./filter";

type FilterFormProps = { filter: Filter; onChange: (change: Partial<Filter>) => void };

function toggled<T>(values: readonly T[], value: T): T[] {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}

/** Everything that the list can be filtered by, with how many recordings have it. */
export function FilterForm({ filter, onChange }: FilterFormProps) {
  const { t } = useTranslation("library");
  const facets = useFacets();
  const { tags = [], folders = [], languages = [], speakers = [] } = facets.data ?? {};
  return (
    <div className={styles.form}>
      <Group title={t("state")}>
        {STATES.map((state) => (
          <Checkbox
            key={state}
            label={t(`state_${state}`)}
            checked={filter.states.includes(state)}
            onChange={() => onChange({ states: toggled(filter.states, state) })}
          />
        ))}
      </Group>
      <Group title={t("kind")}>
        {KINDS.map((kind) => (
          <Checkbox
            key={kind}
            label={t(`kind_${kind}`)}
            checked={filter.kinds.includes(kind)}
            onChange={() => onChange({ kinds: toggled(filter.kinds, kind) })}
          />
        ))}
      </Group>
      {folders.length > 0 && (
        <Select
          label={t("folder")}
          value={filter.folder}
          onChange={(event) => onChange({ folder: event.currentTarget.value })}
        >
          <option value="">{t("anyFolder")}</option>
          {folders.map(({ value, recordingCount }) => (
            <option key={value} value={value}>
              {value} ({recordingCount})
            </option>
          ))}
        </Select>
      )}
      <FacetGroup
        title={t("tags")}
        facets={tags}
        chosen={filter.tags}
        onToggle={(tag) => onChange({ tags: toggled(filter.tags, tag) })}
      />
      <FacetGroup
        title={t("speakers")}
        facets={speakers}
        chosen={filter.speakers}
        onToggle={(name) => onChange({ speakers: toggled(filter.speakers, name) })}
      />
      {languages.length > 1 && (
        <FacetGroup
          title={t("language")}
          facets={languages}
          nameOf={(code) => languageName(code, currentLanguage())}
          chosen={filter.languages}
          onToggle={(code) => onChange({ languages: toggled(filter.languages, code) })}
        />
      )}
      <div className={styles.days}>
        <TextField
          type="date"
          label={t("from")}
          value={filter.from}
          max={filter.to || undefined}
          onChange={(event) => onChange({ from: event.currentTarget.value })}
        />
        <TextField
          type="date"
          label={t("to")}
          value={filter.to}
          min={filter.from || undefined}
          onChange={(event) => onChange({ to: event.currentTarget.value })}
        />
      </div>
      {facets.isError && <p className={styles.note}>{t("unread")}</p>}
      <Button
        size="small"
        disabled={countConditions(filter) === 0}
        onClick={() => onChange({ ...withoutConditions(filter), text: filter.text })}
      >
        {t("clearFilters")}
      </Button>
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{title}</legend>
      <div className={styles.choices}>{children}</div>
    </fieldset>
  );
}

type FacetGroupProps = {
  title: string;
  facets: readonly Facet[];
  nameOf?: (value: string) => string;
  chosen: readonly string[];
  onToggle: (value: string) => void;
};

function FacetGroup({ title, facets, nameOf = (value) => value, chosen, onToggle }: FacetGroupProps) {
  if (facets.length === 0) return null;
  return (
    <Group title={title}>
      {facets.map(({ value, recordingCount }) => (
        <Checkbox
          key={value}
          label={
            <>
              {nameOf(value)} <span className={styles.note}>{recordingCount}</span>
            </>
          }
          checked={chosen.includes(value)}
          onChange={() => onToggle(value)}
        />
      ))}
    </Group>
  );
}
