import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { Dialog } from "@/ui/Dialog";
import { Notice } from "@/ui/Notice";
import styles from "./SecretDialog.module.css";

type SecretDialogProps = { title: string; text: string; secret: string; onClose: () => void };

/** Shows a secret that can't be shown again. */
export function SecretDialog({ title, text, secret, onClose }: SecretDialogProps) {
  const { t } = useTranslation("settings");
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <Button variant="primary" onClick={onClose}>
          {t("secretKept")}
        </Button>
      }
    >
      <Notice tone="warning">{t("secretOnce")}</Notice>
      <p>{text}</p>
      <div className={styles.secret}>
        <code>{secret}</code>
        <CopyButton text={secret} />
      </div>
    </Dialog>
  );
}
