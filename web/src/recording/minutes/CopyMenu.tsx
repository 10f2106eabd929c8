import { Copy, FileText, Hash } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Evidence, Minutes } from "@/gen/recordroute/common/v1/minutes_pb";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { copyText } from "@/lib/clipboard";
import { Button } from "@/ui/Button";
import { Menu, MenuItem } from "@/ui/Menu";
import { useToasts } from "@/ui/Toast";
import { type MinutesTexts, minutesMarkdown, minutesPlainText } from "./markdown";
import { useNamed, usePlaceOf } from "./places";

type CopyMenuProps = { minutes: Minutes; recording: Recording };

/** Copies the minutes, as Markdown or plain text. */
export function CopyMenu({ minutes, recording }: CopyMenuProps) {
  const { t } = useTranslation("recording/minutes");
  const toasts = useToasts();
  const placeOf = usePlaceOf(recording);
  const texts: MinutesTexts = {
    title: recording.title,
    overview: t("overview"),
    place: (evidence: Evidence) => {
      const { position, speaker } = placeOf(evidence);
      return speaker === "" ? position : `${position} ${speaker}`;
    },
    named: useNamed(recording),
  };
  const copy = async (text: string) => {
    try {
      await copyText(text);
      toasts.show(t("copied"));
    } catch (error) {
      toasts.showError(error);
    }
  };
  return (
    <Menu
      trigger={
        <Button size="small" icon={<Copy />}>
          {t("copy")}
        </Button>
      }
    >
      <MenuItem icon={<Hash />} onSelect={() => void copy(minutesMarkdown(minutes, texts))}>
        {t("copyMarkdown")}
      </MenuItem>
      <MenuItem icon={<FileText />} onSelect={() => void copy(minutesPlainText(minutes, texts))}>
        {t("copyPlain")}
      </MenuItem>
    </Menu>
  );
}
