import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/api/errors";
import { keys } from "@/api/queries";
import { voices } from "@/api/voices";
import { Checkbox, TextField } from "@/ui/Field";
import { FormDialog } from "@/ui/FormDialog";
import { useToasts } from "@/ui/Toast";
import styles from "./SpeakerDialog.module.css";

type SpeakerDialogProps = {
  recordingId: string;
  label: string;
  /** What is shown for the speaker now. */
  shown: string;
  /** The name that it has; empty where it has none. */
  name: string;
  onRename: (name: string) => Promise<unknown>;
  onClose: () => void;
};

/** Asks what a speaker is called, everywhere in the recording, and whether new recordings are to know the voice. */
export function SpeakerDialog({ recordingId, label, shown, name, onRename, onClose }: SpeakerDialogProps) {
  const { t } = useTranslation("recording");
  const cache = useQueryClient();
  const toasts = useToasts();
  const [requestId] = useState(() => crypto.randomUUID());
  const [wanted, setWanted] = useState(name);
  const [remembers, setRemembers] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const errorText = useErrorText(error);
  // Fails where the operator does not allow it: then it is not offered.
  const known = useQuery({ queryKey: keys.voices, queryFn: () => voices.listVoices({}) });
  const person = wanted.trim();
  const canRemember =
    known.isSuccess && person !== "" && known.data.voices.every((voice) => voice.name !== person);
  const submit = async () => {
    setBusy(true);
    try {
      if (person !== name) await onRename(person);
      if (canRemember && remembers) {
        await voices.rememberVoice({ requestId, recordingId, speaker: label, name: person, consent: true });
        void cache.invalidateQueries({ queryKey: keys.voices });
        toasts.show(t("voiceRemembered", { name: person }));
      }
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <FormDialog
      title={t("renameSpeaker", { name: shown })}
      submit={t("renameEverywhere")}
      busy={isBusy}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
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
      {canRemember && (
        <Checkbox
          className={styles.voice}
          label={
            <>
              {t("rememberVoice")}
              <small>{t("rememberVoiceHint")}</small>
            </>
          }
          checked={remembers}
          onChange={(event) => setRemembers(event.currentTarget.checked)}
        />
      )}
    </FormDialog>
  );
}
