import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useTemplates } from "@/api/templates";
import { ArtifactKind, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { WorkflowStage } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { currentLanguage } from "@/i18n";
import { speechLanguages } from "@/lib/languages";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select } from "@/ui/Field";
import { useToasts } from "@/ui/Toast";
import type { Actions } from "../useActions";
import styles from "./Dialogs.module.css";

type ProcessDialogProps = {
  recordings: Recording[];
  actions: Actions;
  onClose: () => void;
  onDone: () => void;
};

/** What is to be made anew, and how. */
export function ProcessDialog({ recordings, actions, onClose, onDone }: ProcessDialogProps) {
  const { t } = useTranslation("library");
  const { t: common } = useTranslation("ui");
  const { show } = useToasts();
  const formId = useId();
  const locale = currentLanguage();
  const known = useTemplates();
  const haveText = recordings.every(({ artifacts }) =>
    artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT),
  );
  const [isMinutes, setIsMinutes] = useState(haveText);
  const [language, setLanguage] = useState("");
  const [minutesLanguage, setMinutesLanguage] = useState("");
  const [template, setTemplate] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    const isStarted = await actions.process(
      recordings.map(({ id }) => id),
      {
        template,
        outputLanguage: minutesLanguage,
        ...(isMinutes ? { firstStage: WorkflowStage.SUMMARISE, skipIndex: true } : {}),
        ...(!isMinutes && language !== "" ? { language } : {}),
      },
    );
    if (!isStarted) return setIsBusy(false);
    show(t("processStarted", { count: recordings.length }));
    onDone();
  };
  const choices = speechLanguages(locale);
  return (
    <Dialog
      title={t("processTitle", { count: recordings.length })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" form={formId} variant="primary" busy={isBusy}>
            {t("processStart")}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles.form} onSubmit={submit}>
        {haveText && (
          <fieldset className={styles.group}>
            <legend className="visually-hidden">{t("processWhat")}</legend>
            <Choice
              name={formId}
              label={t("processMinutes")}
              hint={t("processMinutesHint")}
              checked={isMinutes}
              onChoose={() => setIsMinutes(true)}
            />
            <Choice
              name={formId}
              label={t("processAll")}
              hint={t("processAllHint")}
              checked={!isMinutes}
              onChoose={() => setIsMinutes(false)}
            />
          </fieldset>
        )}
        {!isMinutes && (
          <Select
            label={t("language")}
            value={language}
            onChange={(event) => setLanguage(event.currentTarget.value)}
          >
            <option value="">{t("languageDetected")}</option>
            {choices.map(({ code, name }) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </Select>
        )}
        <Select
          label={t("template")}
          value={template}
          onChange={(event) => setTemplate(event.currentTarget.value)}
        >
          <option value="">{t("templateDefault")}</option>
          {known.data?.templates.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </Select>
        <Select
          label={t("minutesLanguage")}
          value={minutesLanguage}
          onChange={(event) => setMinutesLanguage(event.currentTarget.value)}
        >
          <option value="">{t("languageMinutesSame")}</option>
          {choices.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </Select>
      </form>
    </Dialog>
  );
}

type ChoiceProps = { name: string; label: string; hint: string; checked: boolean; onChoose: () => void };

function Choice({ name, label, hint, checked, onChoose }: ChoiceProps) {
  return (
    <label className={styles.choice}>
      <input type="radio" name={name} checked={checked} onChange={onChoose} />
      <span>
        {label}
        <small>{hint}</small>
      </span>
    </label>
  );
}
