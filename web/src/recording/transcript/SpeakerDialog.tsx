import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/api/errors";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextField } from "@/ui/Field";

type SpeakerDialogProps = {
  /** What is shown for the speaker now. */
  shown: string;
  /** The name that it has; empty where it has none. */
  name: string;
  onRename: (name: string) => Promise<unknown>;
  onClose: () => void;
};

/** Asks what a speaker is called, everywhere in the recording. */
export function SpeakerDialog({ shown, name, onRename, onClose }: SpeakerDialogProps) {
  const { t } = useTranslation("recording");
  const { t: common } = useTranslation("ui");
  const formId = useId();
  const [wanted, setWanted] = useState(name);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText(error);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (wanted.trim() === name) return onClose();
    setBusy(true);
    try {
      await onRename(wanted.trim());
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t("renameSpeaker", { name: shown })}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" form={formId} variant="primary" busy={isBusy}>
            {t("renameEverywhere")}
          </Button>
        </>
      }
    >
      <form id={formId} onSubmit={submit}>
        <TextField
          label={t("speakerName")}
          hint={t("speakerNameHint")}
          error={error === undefined ? undefined : errorText}
          value={wanted}
          maxLength={80}
          autoComplete="off"
          autoFocus
          onFocus={(event) => event.currentTarget.select()}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
      </form>
    </Dialog>
  );
}
