import { CopyButton } from "@/ui/CopyButton";
import styles from "./SecretDialog.module.css";

/** A command line to copy. */
export function Command({ text }: { text: string }) {
  return (
    <div className={styles.secret}>
      <code>{text}</code>
      <CopyButton text={text} />
    </div>
  );
}
