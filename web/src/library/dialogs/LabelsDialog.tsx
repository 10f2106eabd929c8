import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { keys } from "@/api/queries";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Checkbox, TextField } from "@/ui/Field";
import { TagField } from "@/ui/TagField";
import { tidyFolder } from "@/uploads/folder";
import type { Actions, Labels } from "../useActions";
import styles from "./Dialogs.module.css";

type LabelsDialogProps = {
  recordings: Recording[];
  actions: Actions;
  onClose: () => void;
  onDone: () => void;
};

/** Tags and folder of one recording, or of many at once. */
export function LabelsDialog({ recordings, actions, onClose, onDone }: LabelsDialogProps) {
  const { t } = useTranslation("library");
  const { t: common } = useTranslation("ui");
  const formId = useId();
  const facets = useQuery({
    queryKey: keys.facets,
    queryFn: ({ signal }) => library.listFacets({}, { signal }),
  });
  const only = recordings.length === 1 ? recordings[0] : undefined;
  const present = [...new Set(recordings.flatMap(({ tags }) => tags))].sort();
  const [tags, setTags] = useState(only?.tags ?? []);
  const [removed, setRemoved] = useState<string[]>([]);
  const [folder, setFolder] = useState(only?.folder ?? "");
  const [isMoving, setIsMoving] = useState(only !== undefined);
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    const labels: Labels = {
      addTags: tags.filter((tag) => only === undefined || !only.tags.includes(tag)),
      removeTags: only === undefined ? removed : only.tags.filter((tag) => !tags.includes(tag)),
      ...(isMoving ? { folder: tidyFolder(folder) } : {}),
    };
    const ids = recordings.map(({ id }) => id);
    if (await actions.label(ids, labels)) onDone();
    else setIsBusy(false);
  };
  return (
    <Dialog
      title={t("labelsOf", { count: recordings.length })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" form={formId} variant="primary" busy={isBusy}>
            {t("save")}
          </Button>
        </>
      }
    >
      <form id={formId} className={styles.form} onSubmit={submit}>
        <TagField
          label={t(only === undefined ? "addTags" : "tags")}
          tags={tags}
          known={facets.data?.tags.map(({ value }) => value) ?? []}
          onChange={setTags}
        />
        {only === undefined && present.length > 0 && (
          <fieldset className={styles.group}>
            <legend>{t("removeTags")}</legend>
            <div className={styles.choices}>
              {present.map((tag) => (
                <Checkbox
                  key={tag}
                  label={tag}
                  checked={removed.includes(tag)}
                  onChange={() =>
                    setRemoved(
                      removed.includes(tag) ? removed.filter((other) => other !== tag) : [...removed, tag],
                    )
                  }
                />
              ))}
            </div>
          </fieldset>
        )}
        {only === undefined && (
          <Checkbox
            label={t("moveTo")}
            checked={isMoving}
            onChange={(event) => setIsMoving(event.currentTarget.checked)}
          />
        )}
        <TextField
          label={t("folder")}
          hideLabel={only === undefined}
          hint={only === undefined && isMoving && folder.trim() === "" ? t("moveOut") : t("folderHint")}
          value={folder}
          disabled={!isMoving}
          maxLength={300}
          list={`${formId}-folders`}
          autoComplete="off"
          onChange={(event) => setFolder(event.currentTarget.value)}
        />
        <datalist id={`${formId}-folders`}>
          {facets.data?.folders.map(({ value }) => (
            <option key={value} value={value} />
          ))}
        </datalist>
      </form>
    </Dialog>
  );
}
