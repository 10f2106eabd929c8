import { Download, FileAudio, FileText } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ArtifactKind, type Recording, RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button, IconButton } from "@/ui/Button";
import { Menu, MenuItem, MenuSeparator } from "@/ui/Menu";
import { useToasts } from "@/ui/Toast";
import { useIsNarrow } from "../useIsNarrow";
import { EXPORTS, type Export, saveExport, saveOriginal } from "./download";

const SUBTITLES: readonly string[] = ["srt", "vtt"];

/** The recording's texts as files, and the file that was uploaded. */
export function ExportMenu({ recording }: { recording: Recording }) {
  const { t } = useTranslation("recording");
  const toasts = useToasts();
  const isNarrow = useIsNarrow();
  const [isBusy, setBusy] = useState(false);
  const hasText = recording.artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT);
  const hasTimes = recording.kind === RecordingKind.MEDIA;
  const run = async (wanted: Export) => {
    setBusy(true);
    try {
      await saveExport(recording, wanted);
    } catch (error) {
      toasts.showError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Menu
      trigger={
        isNarrow ? (
          <IconButton variant="secondary" label={t("export")} icon={<Download />} busy={isBusy} />
        ) : (
          <Button icon={<Download />} busy={isBusy}>
            {t("export")}
          </Button>
        )
      }
    >
      {EXPORTS.map((wanted) => (
        <MenuItem
          key={wanted.extension}
          icon={<FileText />}
          disabled={!hasText || (!hasTimes && SUBTITLES.includes(wanted.extension))}
          onSelect={() => void run(wanted)}
        >
          {t(`export_${wanted.extension}`)}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem icon={<FileAudio />} onSelect={() => saveOriginal(recording)}>
        {t("exportOriginal")}
      </MenuItem>
    </Menu>
  );
}
