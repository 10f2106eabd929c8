import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useTemplates } from "@/api/templates";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { LANGUAGES } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select } from "@/ui/Field";
import { ErrorNotice } from "@/ui/Notice";
import styles from "./Minutes.module.css";
import { useMakeMinutes } from "./useMinutesWork";

const DEFAULT_TEMPLATE = "meeting";

type MakeMinutesDialogProps = {
  recording: Recording;
  /** Template of the minutes that are there. */
  template: string;
  onClose: () => void;
};

/** Asks for template and language, and begins the work. */
export function MakeMinutesDialog({ recording, template, onClose }: MakeMinutesDialogProps) {
  const { t } = useTranslation("recording/minutes");
  const formId = useId();
  const [chosen, setChosen] = useState(template || DEFAULT_TEMPLATE);
  const [outputLanguage, setOutputLanguage] = useState("");
  const make = useMakeMinutes(recording);
  const list = useTemplates();
  const known = list.data?.templates ?? [];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate({ template: chosen, outputLanguage }, { onSuccess: onClose });
  };
  return (
    <Dialog
      title={t("makeTitle")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" form={formId} variant="primary" busy={make.isPending}>
            {t("make")}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles.form} onSubmit={submit}>
        <Select
          label={t("template")}
          value={chosen}
          disabled={list.isPending}
          onChange={(event) => setChosen(event.target.value)}
        >
          {known.every(({ name }) => name !== chosen) && <option value={chosen}>{chosen}</option>}
          {known.map((one) => (
            <option key={one.name} value={one.name}>
              {one.title}
            </option>
          ))}
        </Select>
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
      </form>
    </Dialog>
  );
}
