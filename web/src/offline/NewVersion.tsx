import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useToasts } from "@/ui/Toast";
import { registerServiceWorker } from "./register";

/** Tells that there is a new version of the page; it comes when its reader wants it, or with the next visit. */
export function NewVersion() {
  const { t } = useTranslation("app");
  const toasts = useToasts();
  const tell = useRef<(take: () => void) => void>(() => undefined);
  useEffect(() => {
    tell.current = (take) =>
      toasts.show(t("newVersion"), { label: t("reload"), onAction: take }, { stays: true });
  });
  useEffect(() => registerServiceWorker((take) => tell.current(take)), []);
  return null;
}
