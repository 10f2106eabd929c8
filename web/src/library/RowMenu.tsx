import { Download, FolderOpen, Pencil, RotateCcw, Share2, Tags, Trash2, Undo2 } from "lucide-react";
import { type ReactElement, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { Access, ArtifactKind, type Recording, RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "@/ui/Menu";
import { useToasts } from "@/ui/Toast";
import type { Asking } from "./LibraryPage";
import type { Actions } from "./useActions";

const FORMATS = ["docx", "md", "txt", "srt", "vtt", "json"] as const;

type RowMenuProps = {
  recording: Recording;
  trigger: ReactElement;
  actions: Actions;
  onRename: () => void;
  onRemove: () => void;
  onAsk: (what: Asking["what"]) => void;
};

/** Everything that can be done with one recording. */
export default function RowMenu({ recording, trigger, actions, onRename, onRemove, onAsk }: RowMenuProps) {
  const { t } = useTranslation("library");
  const { showError } = useToasts();
  const [, navigate] = useLocation();
  const renames = useRef(false);
  const isOwner = recording.access === Access.OWNER;
  const canEdit = recording.access >= Access.WRITE;
  const hasText = recording.artifacts.some(({ kind }) => kind === ArtifactKind.TRANSCRIPT);
  const save = async (extension: (typeof FORMATS)[number]) => {
    try {
      const { EXPORTS, saveExport } = await import("@/recording/header/download");
      const wanted = EXPORTS.find((format) => format.extension === extension);
      if (wanted !== undefined) await saveExport(recording, wanted);
    } catch (error) {
      showError(error);
    }
  };
  if (recording.deletedAt !== undefined) {
    return (
      <Menu trigger={trigger} defaultOpen>
        <MenuItem icon={<Undo2 />} disabled={!isOwner} onSelect={() => void actions.restore([recording.id])}>
          {t("restore")}
        </MenuItem>
        <MenuItem danger icon={<Trash2 />} disabled={!isOwner} onSelect={() => onAsk("purge")}>
          {t("purge")}
        </MenuItem>
      </Menu>
    );
  }
  return (
    <Menu
      trigger={trigger}
      defaultOpen
      onCloseAutoFocus={(event) => {
        if (!renames.current) return;
        renames.current = false;
        // The field takes the focus, and would be left again if the menu gave it back to its button.
        event.preventDefault();
        onRename();
      }}
    >
      <MenuItem icon={<FolderOpen />} onSelect={() => navigate(`/recordings/${recording.id}`)}>
        {t("open")}
      </MenuItem>
      <MenuItem
        icon={<Pencil />}
        disabled={!canEdit}
        onSelect={() => {
          renames.current = true;
        }}
      >
        {t("rename")}
      </MenuItem>
      <MenuItem icon={<Tags />} disabled={!canEdit} onSelect={() => onAsk("labels")}>
        {t("labels")}
      </MenuItem>
      <MenuItem icon={<Share2 />} disabled={!isOwner} onSelect={() => onAsk("share")}>
        {t("share")}
      </MenuItem>
      <MenuItem icon={<RotateCcw />} disabled={!canEdit} onSelect={() => onAsk("process")}>
        {t(hasText ? "processAgain" : "process")}
      </MenuItem>
      {hasText && (
        <>
          <MenuSeparator />
          <MenuLabel>{t("export")}</MenuLabel>
          {FORMATS.filter(
            (format) => recording.kind === RecordingKind.MEDIA || !["srt", "vtt"].includes(format),
          ).map((format) => (
            <MenuItem key={format} icon={<Download />} onSelect={() => void save(format)}>
              {t(`export_${format}`)}
            </MenuItem>
          ))}
        </>
      )}
      <MenuSeparator />
      <MenuItem danger icon={<Trash2 />} disabled={!isOwner} onSelect={onRemove}>
        {t("delete")}
      </MenuItem>
    </Menu>
  );
}
