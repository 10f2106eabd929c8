import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ConfirmDialog } from "@/ui/Dialog";
import type { Asking } from "../LibraryPage";
import type { Actions } from "../useActions";
import { LabelsDialog } from "./LabelsDialog";
import { ProcessDialog } from "./ProcessDialog";
import { ShareDialog } from "./ShareDialog";

type DialogsProps = { asking: Asking; actions: Actions; onClose: () => void; onDone: () => void };

/** The dialog that is open. */
export default function Dialogs({ asking: { what, recordings }, ...rest }: DialogsProps) {
  switch (what) {
    case "labels":
      return <LabelsDialog recordings={recordings} {...rest} />;
    case "process":
      return <ProcessDialog recordings={recordings} {...rest} />;
    case "purge":
      return <PurgeDialog ids={recordings.map(({ id }) => id)} {...rest} />;
    case "share":
      return recordings[0] === undefined ? null : (
        <ShareDialog recording={recordings[0]} onClose={rest.onClose} />
      );
  }
}

function PurgeDialog({ ids, actions, onClose, onDone }: Omit<DialogsProps, "asking"> & { ids: string[] }) {
  const { t } = useTranslation("library");
  const [isBusy, setIsBusy] = useState(false);
  return (
    <ConfirmDialog
      danger
      title={t("purgeTitle")}
      text={t("purgeText", { count: ids.length })}
      action={t("purge")}
      busy={isBusy}
      onClose={onClose}
      onConfirm={() => {
        setIsBusy(true);
        void actions.purge(ids).then(onDone);
      }}
    />
  );
}
