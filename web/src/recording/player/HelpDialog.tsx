import { useTranslation } from "react-i18next";
import { Dialog } from "@/ui/Dialog";
import styles from "./HelpDialog.module.css";

const KEYS = [
  [["Space", "K"], "help_toggle"],
  [["←", "→"], "help_five"],
  [["J", "L"], "help_fifteen"],
  [[",", "."], "help_word"],
  [["Alt+↑", "Alt+↓"], "help_segment"],
  [["0", "9"], "help_part"],
  [["[", "]"], "help_speed"],
  [["M"], "help_mute"],
  [["B"], "help_bookmark"],
  [["E"], "help_edit"],
  [["Enter"], "help_save"],
  [["Ctrl+Enter"], "help_split"],
  [["Esc"], "help_cancel"],
  [["Ctrl+Z", "Ctrl+Shift+Z"], "help_undo"],
  [["Ctrl+F"], "help_find"],
  [["?"], "help_help"],
] as const;

/** What the keys do. */
export function HelpDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("recording");
  return (
    <Dialog title={t("keyboard")} onClose={onClose} wide>
      <dl className={styles.keys}>
        {KEYS.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
