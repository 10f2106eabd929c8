import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useTemplates } from "@/api/templates";
import { DEFAULT_TEMPLATE, TemplateSelect } from "@/fields/TemplateSelect";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { LANGUAGES } from "@/i18n";
import { Select } from "@/ui/Field";
import { FormDialog } from "@/ui/FormDialog";
import { ErrorNotice } from "@/ui/Notice";
import { useMakeMinutes } from "./useMinutesWork";

type MakeMinutesDialogProps = {
  recording: Recording;
  /** Template of the minutes that are there. */
  template: string;
  onClose: () => void;
};

/** Asks for template and language, and begins the work. */
export function MakeMinutesDialog({ recording, template, onClose }: MakeMinutesDialogProps) {
  const { t } = useTranslation("recording/minutes");
  const [chosen, setChosen] = useState(template || DEFAULT_TEMPLATE);
  const [outputLanguage, setOutputLanguage] = useState("");
  const make = useMakeMinutes(recording);
  const list = useTemplates();
  return (
    <FormDialog
      title={t("makeTitle")}
      submit={t("make")}
      busy={make.isPending}
      onSubmit={() => make.mutate({ template: chosen, outputLanguage }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <TemplateSelect label={t("template")} value={chosen} onChange={setChosen} />
      <Select
        label={t("headingLanguage")}
        hint={t("headingLanguageHint")}
        value={outputLanguage}
        onChange={(event) => setOutputLanguage(event.target.value)}
      >
        <option value="">{t("asRecording")}</option>
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </Select>
      {list.isError && <ErrorNotice error={list.error} />}
      {make.isError && <ErrorNotice error={make.error} />}
    </FormDialog>
  );
}
