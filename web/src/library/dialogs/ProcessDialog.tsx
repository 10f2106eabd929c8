import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { LanguageSelect } from "@/fields/LanguageSelect";
import { TemplateSelect } from "@/fields/TemplateSelect";
import { ArtifactKind, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { WorkflowStage } from "@/gen/recordroute/gateway/v1/workflow_pb";
import { FormDialog } from "@/ui/FormDialog";
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
  const { show } = useToasts();
  const choiceName = useId();
  const haveText = recordings.every(({ artifacts }) =>
    artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT),
  );
  const [isMinutes, setIsMinutes] = useState(haveText);
  const [language, setLanguage] = useState("");
  const [minutesLanguage, setMinutesLanguage] = useState("");
  const [template, setTemplate] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const submit = async () => {
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
  return (
    <FormDialog
      title={recordings.length === 1 ? t("processAgain") : t("processTitle", { count: recordings.length })}
      submit={t("processStart")}
      busy={isBusy}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      {haveText && (
        <fieldset className={styles.group}>
          <legend className="visually-hidden">{t("processWhat")}</legend>
          <Choice
            name={choiceName}
            label={t("processMinutes")}
            hint={t("processMinutesHint")}
            checked={isMinutes}
            onChoose={() => setIsMinutes(true)}
          />
          <Choice
            name={choiceName}
            label={t("processAll")}
            hint={t("processAllHint")}
            checked={!isMinutes}
            onChoose={() => setIsMinutes(false)}
          />
        </fieldset>
      )}
      {!isMinutes && (
        <LanguageSelect
          label={t("language")}
          none={t("languageDetected")}
          value={language}
          onChange={setLanguage}
        />
      )}
      <TemplateSelect
        label={t("template")}
        none={t("templateDefault")}
        value={template}
        onChange={setTemplate}
      />
      <LanguageSelect
        label={t("minutesLanguage")}
        none={t("languageMinutesSame")}
        value={minutesLanguage}
        onChange={setMinutesLanguage}
      />
    </FormDialog>
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
