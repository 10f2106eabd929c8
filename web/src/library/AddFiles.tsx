import { FolderPlus, SlidersHorizontal, Upload } from "lucide-react";
import { lazy, Suspense, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import { Spinner } from "@/ui/Spinner";
import { isDefault } from "@/uploads/options";
import { ACCEPTED, askForFiles, fromFileList } from "@/uploads/pick";
import styles from "./AddFiles.module.css";
import type { Adding } from "./useAddFiles";

const OptionsForm = lazy(() => import("@/uploads/OptionsForm"));

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
      <Popover
        label={t("addOptions")}
        trigger={
          <IconButton
            label={t("addOptions")}
            icon={<SlidersHorizontal />}
            className={isDefault(adding.options) ? undefined : styles.set}
          />
        }
      >
        <Suspense fallback={<Spinner />}>
          <OptionsForm options={adding.options} onChange={adding.changeOptions} />
        </Suspense>
      </Popover>
      <IconButton
        variant="secondary"
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
