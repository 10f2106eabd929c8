import { Mic } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { FolderField } from "@/fields/FolderField";
import { LanguageSelect } from "@/fields/LanguageSelect";
import { DEFAULT_TEMPLATE, TemplateSelect } from "@/fields/TemplateSelect";
import { useObservable } from "@/lib/observable";
import { Box } from "@/ui/Box";
import { Select, TextField } from "@/ui/Field";
import { Spinner } from "@/ui/Spinner";
import { Switch } from "@/ui/Switch";
import { Capture, canShareSound, SOURCES } from "./audio/capture";
import { Failure } from "./Failure";
import { recorder } from "./live";
import { MicrophoneTest } from "./MicrophoneTest";
import { MicrophoneTester } from "./MicrophoneTester";
import { PROCESSING } from "./microphone";
import styles from "./Setup.module.css";
import { useMicrophones } from "./useMicrophones";
import { rememberedForm, rememberForm, wishesOf } from "./wishes";

/** Asks what to record, and how; then records. */
export function Setup({ user, isStarting }: { user: string; isStarting: boolean }) {
  const { t } = useTranslation("live");
  const { failure } = useObservable(recorder.state);
  const { microphones, choice, choose, look } = useMicrophones();
  const [tester] = useState(() => new MicrophoneTester((...wanted) => Capture.open("microphone", ...wanted)));
  const [form, setForm] = useState(rememberedForm);
  const [canShare] = useState(canShareSound);
  const source = canShare ? form.source : "microphone";
  const change = (part: Partial<typeof form>) => setForm((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // Some systems give a microphone once only.
    tester.stop();
    rememberForm(form);
    void recorder.start({ user, source, microphone: choice, wishes: wishesOf(form) });
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <p className={styles.intro}>{t("intro")}</p>
      {failure !== undefined && <Failure failure={failure} />}
      <Box>
        <div className={styles.fields}>
          {canShare && (
            <Select
              label={t("source")}
              value={source}
              hint={source === "microphone" ? undefined : t("sourceHint")}
              onChange={(event) =>
                change({ source: SOURCES.find((one) => one === event.target.value) ?? "microphone" })
              }
            >
              {SOURCES.map((one) => (
                <option key={one} value={one}>
                  {t(`source_${one}`)}
                </option>
              ))}
            </Select>
          )}
          {source !== "tab" && (
            <Select
              label={t("device")}
              value={microphones.some((one) => one.deviceId === choice.deviceId) ? choice.deviceId : ""}
              hint={microphones.length === 0 ? t("microphones") : undefined}
              onChange={(event) => choose({ ...choice, deviceId: event.target.value })}
            >
              <option value="">{t("defaultMicrophone")}</option>
              {microphones.map((one) => (
                <option key={one.deviceId} value={one.deviceId}>
                  {one.label}
                </option>
              ))}
            </Select>
          )}
          {source !== "tab" && <MicrophoneTest tester={tester} choice={choice} onAllowed={look} />}
          <TextField
            label={t("titleField")}
            value={form.title}
            maxLength={250}
            hint={t("titleHint")}
            onChange={(event) => change({ title: event.target.value })}
          />
          <LanguageSelect
            label={t("language")}
            none={t("detectLanguage")}
            value={form.language}
            onChange={(language) => change({ language })}
          />
        </div>
        <details className={styles.more}>
          <summary>{t("moreOptions")}</summary>
          <div className={styles.fields}>
            <FolderField
              label={t("folder")}
              hint={t("folderHint")}
              value={form.folder}
              onChange={(folder) => change({ folder })}
            />
            <TextField
              label={t("tags")}
              value={form.tags}
              hint={t("tagsHint")}
              maxLength={1000}
              onChange={(event) => change({ tags: event.target.value })}
            />
            <TemplateSelect
              label={t("template")}
              none={t("templateDefault")}
              without={DEFAULT_TEMPLATE}
              value={form.template}
              onChange={(template) => change({ template })}
            />
          </div>
          {source !== "tab" && (
            <fieldset className={styles.processing}>
              <legend>{t("processing")}</legend>
              <p className={styles.hint}>{t("processingHint")}</p>
              {PROCESSING.map((name) => (
                <Switch
                  key={name}
                  label={t(name)}
                  checked={choice[name]}
                  onChange={(on) => choose({ ...choice, [name]: on })}
                />
              ))}
            </fieldset>
          )}
        </details>
      </Box>
      <div className={styles.begin}>
        <button type="submit" className={styles.record} disabled={isStarting || user === ""}>
          <span className={styles.disc}>{isStarting ? <Spinner /> : <Mic aria-hidden />}</span>
          {isStarting ? t("starting") : t("start")}
        </button>
        <p className={styles.hint}>{t("startHint")}</p>
      </div>
    </form>
  );
}
