import { FolderDown } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { fromTransfer, holdsFiles, type Picked } from "@/uploads/pick";
import styles from "./DropZone.module.css";

/** The whole page takes files that are dropped or pasted, and shows it while something is dragged over it. */
export function DropZone({ onPicked }: { onPicked: (picked: Promise<Picked>) => void }) {
  const { t } = useTranslation("library");
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    // Each element on the way is entered before the last one is left.
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!holdsFiles(event.dataTransfer)) return;
      depth += 1;
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!holdsFiles(event.dataTransfer)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setIsOver(false);
    };
    const over = (event: DragEvent) => {
      if (holdsFiles(event.dataTransfer)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      depth = 0;
      setIsOver(false);
      if (event.dataTransfer === null || !holdsFiles(event.dataTransfer)) return;
      event.preventDefault();
      onPicked(fromTransfer(event.dataTransfer));
    };
    const paste = (event: ClipboardEvent) => {
      // Rich text brings a picture of itself along: it goes where it was pasted.
      const { clipboardData: data } = event;
      if (data === null || data.files.length === 0 || data.types.includes("text/plain")) return;
      event.preventDefault();
      onPicked(fromTransfer(data));
    };
    window.addEventListener("dragenter", enter);
    window.addEventListener("dragleave", leave);
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    window.addEventListener("paste", paste);
    return () => {
      window.removeEventListener("dragenter", enter);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
      window.removeEventListener("paste", paste);
    };
  }, [onPicked]);
  if (!isOver) return null;
  return (
    <div className={styles.overlay}>
      <div className={styles.box}>
        <FolderDown aria-hidden />
        <p className={styles.title}>{t("dropHere")}</p>
        <p>{t("dropText")}</p>
      </div>
    </div>
  );
}
