import { FolderPlus, SlidersHorizontal, Upload } from "lucide-react";
import { lazy, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import { Deferred } from "@/ui/Deferred";
import { isDefault } from "@/uploads/options";
import { ACCEPTED, askForFiles, fromFileList } from "@/uploads/pick";
import styles from "./AddFiles.module.css";
import type { Adding } from "./useAddFiles";

const OptionsPopover = lazy(() => import("@/uploads/OptionsPopover"));

/** Buttons that add files or a folder, and what is to happen with them. */
export function AddFiles({ adding }: { adding: Adding }) {
  const { t } = useTranslation("library");
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const pick = async () => {
    const picked = await askForFiles(true);
    if (picked === null) files.current?.click();
    else await adding.add(picked);
  };
  const options = (
    <IconButton
      variant="secondary"
      label={t("addOptions")}
      icon={<SlidersHorizontal />}
      className={isDefault(adding.options) ? undefined : styles.set}
    />
  );
  return (
    <div className={styles.group}>
      <input
        ref={files}
        type="file"
        hidden
        multiple
        accept={ACCEPTED}
        aria-label={t("add")}
        onChange={(event) => {
          if (event.target.files !== null) void adding.add(fromFileList(event.target.files));
          event.target.value = "";
        }}
      />
      <input
        ref={(field) => {
          folder.current = field;
          // React has no property for it.
          field?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        hidden
        aria-label={t("addFolder")}
        onChange={(event) => {
          if (event.target.files !== null) void adding.add(fromFileList(event.target.files));
          event.target.value = "";
        }}
      />
      <Deferred opens="dialog" trigger={options}>
        <OptionsPopover trigger={options} options={adding.options} onChange={adding.changeOptions} />
      </Deferred>
      <IconButton
        variant="secondary"
        className={styles.folder}
        label={t("addFolder")}
        icon={<FolderPlus />}
        onClick={() => folder.current?.click()}
      />
      <Button variant="primary" icon={<Upload />} onClick={() => void pick()}>
        {t("add")}
      </Button>
    </div>
  );
}
