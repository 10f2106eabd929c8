import { useTranslation } from "react-i18next";
import { useFacets } from "@/api/facets";
import { FolderField } from "@/fields/FolderField";
import { LanguageSelect } from "@/fields/LanguageSelect";
import { TemplateSelect } from "@/fields/TemplateSelect";
import { Button } from "@/ui/Button";
import { Switch } from "@/ui/Switch";
import { TagField } from "@/ui/TagField";
import { tidyFolder } from "./folder";
import { DEFAULT_OPTIONS, isDefault } from "./options";
import type { UploadOptions } from "./types";

type OptionsFormProps = { options: UploadOptions; onChange: (options: UploadOptions) => void };

/** What is to happen with the files that are added next. */
export function OptionsForm({ options, onChange }: OptionsFormProps) {
  const { t } = useTranslation("uploads");
  const facets = useFacets();
  const change = (values: Partial<UploadOptions>) => onChange({ ...options, ...values });
  return (
    <>
      <div>
        <h3>{t("optionsTitle")}</h3>
        <p>
          <small>{t("optionsHint")}</small>
        </p>
      </div>
      <LanguageSelect
        label={t("language")}
        none={t("detected")}
        value={options.language}
        onChange={(language) => change({ language })}
      />
      <TemplateSelect
        label={t("template")}
        none={t("templateDefault")}
        value={options.template}
        onChange={(template) => change({ template })}
      />
      <FolderField
        label={t("folder")}
        hint={t("folderHint")}
        value={options.folder}
        onChange={(folder) => change({ folder })}
        onBlur={() => change({ folder: tidyFolder(options.folder) })}
      />
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
