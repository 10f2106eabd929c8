import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFacets } from "@/api/facets";
import { FolderField } from "@/fields/FolderField";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { CheckboxGroup } from "@/ui/CheckboxGroup";
import { Checkbox } from "@/ui/Field";
import { FormDialog } from "@/ui/FormDialog";
import { TagField } from "@/ui/TagField";
import { tidyFolder } from "@/uploads/folder";
import type { Actions, Labels } from "../useActions";

type LabelsDialogProps = {
  recordings: Recording[];
  actions: Actions;
  onClose: () => void;
  onDone: () => void;
};

/** Tags and folder of one recording, or of many at once. */
export function LabelsDialog({ recordings, actions, onClose, onDone }: LabelsDialogProps) {
  const { t } = useTranslation("library");
  const facets = useFacets();
  const only = recordings.length === 1 ? recordings[0] : undefined;
  const present = [...new Set(recordings.flatMap(({ tags }) => tags))].sort();
  const [tags, setTags] = useState(only?.tags ?? []);
  const [removed, setRemoved] = useState<string[]>([]);
  const [folder, setFolder] = useState(only?.folder ?? "");
  const [isMoving, setIsMoving] = useState(only !== undefined);
  const [isBusy, setIsBusy] = useState(false);
  const submit = async () => {
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
    <FormDialog
      title={only === undefined ? t("labelsOf", { count: recordings.length }) : t("labels")}
      submit={t("save")}
      busy={isBusy}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <TagField
        label={t(only === undefined ? "addTags" : "tags")}
        tags={tags}
        known={facets.data?.tags.map(({ value }) => value) ?? []}
        onChange={setTags}
      />
      {only === undefined && present.length > 0 && (
        <CheckboxGroup
          flows
          label={t("removeTags")}
          options={present.map((tag) => ({ value: tag, label: tag }))}
          chosen={removed}
          onChange={setRemoved}
        />
      )}
      {only === undefined && (
        <Checkbox
          label={t("moveTo")}
          checked={isMoving}
          onChange={(event) => setIsMoving(event.currentTarget.checked)}
        />
      )}
      <FolderField
        label={t("folder")}
        hideLabel={only === undefined}
        hint={only === undefined && isMoving && folder.trim() === "" ? t("moveOut") : t("folderHint")}
        value={folder}
        disabled={!isMoving}
        onChange={setFolder}
      />
    </FormDialog>
  );
}
