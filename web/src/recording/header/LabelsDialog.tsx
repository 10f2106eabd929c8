import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { useErrorText } from "@/api/errors";
import { keys } from "@/api/queries";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextField } from "@/ui/Field";
import type { RecordingChange } from "../useUpdateRecording";
import styles from "./RecordingHeader.module.css";

type LabelsDialogProps = {
  recording: Recording;
  onUpdate: (change: RecordingChange) => Promise<void>;
  onClose: () => void;
};

/** Tags and folder, with those that are in use already to choose from. */
export function LabelsDialog({ recording, onUpdate, onClose }: LabelsDialogProps) {
  const { t } = useTranslation("recording");
  const { t: common } = useTranslation("ui");
  const listId = useId();
  const facets = useQuery({
    queryKey: keys.facets,
    queryFn: ({ signal }) => library.listFacets({}, { signal }),
  });
  const [tags, setTags] = useState(recording.tags);
  const [tag, setTag] = useState("");
  const [folder, setFolder] = useState(recording.folder);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText(error);
  const withTag = (wanted: string) => {
    const added = wanted
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    return [...new Set([...tags, ...added])];
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const wanted = { tags: withTag(tag), folder: folder.trim().replace(/^\/+|\/+$/g, "") };
      await onUpdate(() => wanted);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t("labels")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" form={`${listId}-form`} variant="primary" busy={isBusy}>
            {t("save")}
          </Button>
        </>
      }
    >
      <form id={`${listId}-form`} className={styles.labelsForm} onSubmit={submit}>
        {tags.length > 0 && (
          <ul className={styles.tags} aria-label={t("tags")}>
            {tags.map((name) => (
              <li key={name}>
                <button
                  type="button"
                  className={styles.removableTag}
                  aria-label={t("removeTag", { tag: name })}
                  onClick={() => setTags(tags.filter((other) => other !== name))}
                >
                  {name}
                  <X aria-hidden />
                </button>
              </li>
            ))}
          </ul>
        )}
        <TextField
          label={t("addTag")}
          hint={t("addTagHint")}
          value={tag}
          maxLength={80}
          list={`${listId}-tags`}
          onChange={(event) => setTag(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.nativeEvent.isComposing || tag.trim() === "") return;
            event.preventDefault();
            setTags(withTag(tag));
            setTag("");
          }}
        />
        <TextField
          label={t("folder")}
          hint={t("folderHint")}
          value={folder}
          maxLength={300}
          list={`${listId}-folders`}
          error={error === undefined ? undefined : errorText}
          onChange={(event) => setFolder(event.currentTarget.value)}
        />
        <datalist id={`${listId}-tags`}>
          {facets.data?.tags.map(({ value }) => (
            <option key={value} value={value} />
          ))}
        </datalist>
        <datalist id={`${listId}-folders`}>
          {facets.data?.folders.map(({ value }) => (
            <option key={value} value={value} />
          ))}
        </datalist>
      </form>
    </Dialog>
  );
}
