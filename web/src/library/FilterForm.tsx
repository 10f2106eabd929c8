import { useTranslation } from "react-i18next";
import { useFacets } from "@/api/facets";
import type { Facet } from "@/gen/recordroute/gateway/v1/library_pb";
import { currentLanguage } from "@/i18n";
import { languageName } from "@/lib/languages";
import { Button } from "@/ui/Button";
import { CheckboxGroup } from "@/ui/CheckboxGroup";
import { Select, TextField } from "@/ui/Field";
import styles from "./FilterForm.module.css";
import { countConditions, type Filter, KINDS, STATES, withoutConditions } from "./filter";

type FilterFormProps = { filter: Filter; onChange: (change: Partial<Filter>) => void };

/** Everything that the list can be filtered by, with how many recordings have it. */
export function FilterForm({ filter, onChange }: FilterFormProps) {
  const { t } = useTranslation("library");
  const facets = useFacets();
  const { tags = [], folders = [], languages = [], speakers = [] } = facets.data ?? {};
  return (
    <div className={styles.form}>
      <CheckboxGroup
        flows
        label={t("state")}
        options={STATES.map((value) => ({ value, label: t(`state_${value}`) }))}
        chosen={filter.states}
        onChange={(states) => onChange({ states })}
      />
      <CheckboxGroup
        flows
        label={t("kind")}
        options={KINDS.map((value) => ({ value, label: t(`kind_${value}`) }))}
        chosen={filter.kinds}
        onChange={(kinds) => onChange({ kinds })}
      />
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
        onChange={(chosen) => onChange({ tags: chosen })}
      />
      <FacetGroup
        title={t("speakers")}
        facets={speakers}
        chosen={filter.speakers}
        onChange={(chosen) => onChange({ speakers: chosen })}
      />
      {languages.length > 1 && (
        <FacetGroup
          title={t("language")}
          facets={languages}
          nameOf={(code) => languageName(code, currentLanguage())}
          chosen={filter.languages}
          onChange={(chosen) => onChange({ languages: chosen })}
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

type FacetGroupProps = {
  title: string;
  facets: readonly Facet[];
  nameOf?: (value: string) => string;
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
};

function FacetGroup({ title, facets, nameOf = (value) => value, chosen, onChange }: FacetGroupProps) {
  if (facets.length === 0) return null;
  const options = facets.map(({ value, recordingCount }) => ({
    value,
    label: (
      <>
        {nameOf(value)} <span className={styles.note}>{recordingCount}</span>
      </>
    ),
  }));
  return <CheckboxGroup flows label={title} options={options} chosen={chosen} onChange={onChange} />;
}
