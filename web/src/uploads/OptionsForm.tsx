import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { keys } from "@/api/queries";
import { useTemplates } from "@/api/templates";
import { currentLanguage } from "@/i18n";
import { speechLanguages } from "@/lib/languages";
import { Button } from "@/ui/Button";
import { Select, TextField } from "@/ui/Field";
import { Switch } from "@/ui/Switch";
import { TagField } from "@/ui/TagField";
import { tidyFolder } from "./folder";
import { DEFAULT_OPTIONS, isDefault } from "./options";
import type { UploadOptions } from "./types";

type OptionsFormProps = { options: UploadOptions; onChange: (options: UploadOptions) => void };

/** What is to happen with the files that are added next. */
export function OptionsForm({ options, onChange }: OptionsFormProps) {
  const { t } = useTranslation("uploads");
  const listId = useId();
  const language = currentLanguage();
  const facets = useQuery({
    queryKey: keys.facets,
    queryFn: ({ signal }) => library.listFacets({}, { signal }),
  });
  const known = useTemplates();
  const change = (values: Partial<UploadOptions>) => onChange({ ...options, ...values });
  return (
    <>
      <div>
        <h3>{t("optionsTitle")}</h3>
        <p>
          <small>{t("optionsHint")}</small>
        </p>
      </div>
      <Select
        label={t("language")}
        value={options.language}
        onChange={(event) => change({ language: event.currentTarget.value })}
      >
        <option value="">{t("detected")}</option>
        {speechLanguages(language).map(({ code, name }) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </Select>
      <Select
        label={t("template")}
        value={options.template}
        onChange={(event) => change({ template: event.currentTarget.value })}
      >
        <option value="">{t("templateDefault")}</option>
        {known.data?.templates.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </Select>
      <TextField
        label={t("folder")}
        hint={t("folderHint")}
        value={options.folder}
        maxLength={300}
        list={listId}
        autoComplete="off"
        onChange={(event) => change({ folder: event.currentTarget.value })}
        onBlur={() => change({ folder: tidyFolder(options.folder) })}
      />
      <datalist id={listId}>
        {facets.data?.folders.map(({ value }) => (
          <option key={value} value={value} />
        ))}
      </datalist>
      <TagField
        label={t("tags")}
        tags={options.tags}
        known={facets.data?.tags.map(({ value }) => value) ?? []}
        onChange={(tags) => change({ tags })}
      />
      <Switch
        label={t("keepFolders")}
        hint={t("keepFoldersHint")}
        checked={options.keepFolders}
        onChange={(keepFolders) => change({ keepFolders })}
      />
      {!isDefault(options) && (
        <Button size="small" onClick={() => onChange(DEFAULT_OPTIONS)}>
          {t("optionsReset")}
        </Button>
      )}
    </>
  );
}
