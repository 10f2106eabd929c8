import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/api/errors";
import { useFacets } from "@/api/facets";
import { FolderField } from "@/fields/FolderField";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { FormDialog } from "@/ui/FormDialog";
import { TagField } from "@/ui/TagField";
import { tidyFolder } from "@/uploads/folder";
import type { RecordingChange } from "../useUpdateRecording";

type LabelsDialogProps = {
  recording: Recording;
  onUpdate: (change: RecordingChange) => Promise<void>;
  onClose: () => void;
};

/** Tags and folder, with those that are in use already to choose from. */
export function LabelsDialog({ recording, onUpdate, onClose }: LabelsDialogProps) {
  const { t } = useTranslation("recording");
  const facets = useFacets();
  const [tags, setTags] = useState(recording.tags);
  const [folder, setFolder] = useState(recording.folder);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText(error);
  const submit = async () => {
    setBusy(true);
    try {
      const wanted = { tags, folder: tidyFolder(folder) };
      await onUpdate(() => wanted);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <FormDialog
      title={t("labels")}
      submit={t("save")}
      busy={isBusy}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TagField
        label={t("tags")}
        tags={tags}
        known={facets.data?.tags.map(({ value }) => value) ?? []}
        onChange={setTags}
      />
      <FolderField
        label={t("folder")}
        hint={t("folderHint")}
        value={folder}
        error={error === undefined ? undefined : errorText}
        onChange={setFolder}
      />
    </FormDialog>
  );
}
