import { useQuery } from "@tanstack/react-query";
import { Mic } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { keys } from "@/api/queries";
import { useTemplates } from "@/api/templates";
import { currentLanguage } from "@/i18n";
import { speechLanguages } from "@/lib/languages";
import { useObservable } from "@/lib/observable";
import { Select, TextField } from "@/ui/Field";
import { Spinner } from "@/ui/Spinner";
import { Switch } from "@/ui/Switch";
import { canShareSound, SOURCES } from "./audio/capture";
import { Failure } from "./Failure";
import { recorder } from "./live";
import styles from "./Setup.module.css";
import { useMicrophones } from "./useMicrophones";
import { rememberedForm, rememberForm, wishesOf } from "./wishes";

/** The server's default: its title stands first. */
const DEFAULT_TEMPLATE = "meeting";

/** Asks what to record, and how; then records. */
export function Setup({ user, isStarting }: { user: string; isStarting: boolean }) {
  const { t } = useTranslation("live");
  const { failure } = useObservable(recorder.state);
  const { microphones, choice, choose } = useMicrophones();
  const [form, setForm] = useState(rememberedForm);
  const [canShare] = useState(canShareSound);
  const language = currentLanguage();
  const folders = useId();
  const facets = useQuery({ queryKey: keys.facets, queryFn: () => library.listFacets({}) });
  const templateList = useTemplates();
  const source = canShare ? form.source : "microphone";
  const change = (part: Partial<typeof form>) => setForm((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rememberForm(form);
    void recorder.start({ user, source, microphone: choice, wishes: wishesOf(form) });
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <p className={styles.intro}>{t("intro")}</p>
      {failure !== undefined && <Failure failure={failure} />}
      <div className={styles.card}>
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
          <TextField
            label={t("titleField")}
            value={form.title}
            maxLength={250}
            hint={t("titleHint")}
            onChange={(event) => change({ title: event.target.value })}
          />
          <Select
            label={t("language")}
            value={form.language}
            onChange={(event) => change({ language: event.target.value })}
          >
            <option value="">{t("detectLanguage")}</option>
            {speechLanguages(language).map(({ code, name }) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </Select>
        </div>
        <details className={styles.more}>
          <summary>{t("moreOptions")}</summary>
          <div className={styles.fields}>
            <TextField
              label={t("folder")}
              value={form.folder}
              hint={t("folderHint")}
              maxLength={250}
              list={folders}
              onChange={(event) => change({ folder: event.target.value })}
            />
            <datalist id={folders}>
              {facets.data?.folders.map((folder) => (
                <option key={folder.value} value={folder.value} />
              ))}
            </datalist>
            <TextField
              label={t("tags")}
              value={form.tags}
              hint={t("tagsHint")}
              maxLength={1000}
              onChange={(event) => change({ tags: event.target.value })}
            />
            <Select
              label={t("template")}
              value={form.template}
              onChange={(event) => change({ template: event.target.value })}
            >
              <option value="">{t("templateDefault")}</option>
              {templateList.data?.templates
                .filter(({ name }) => name !== DEFAULT_TEMPLATE)
                .map(({ name, title }) => (
                  <option key={name} value={name}>
                    {title || name}
                  </option>
                ))}
            </Select>
          </div>
          {source !== "tab" && (
            <fieldset className={styles.processing}>
              <legend>{t("processing")}</legend>
              <p className={styles.hint}>{t("processingHint")}</p>
              {(["echoCancellation", "noiseSuppression", "autoGainControl"] as const).map((name) => (
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
      </div>
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
