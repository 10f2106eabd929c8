import { useTranslation } from "react-i18next";
import { Notice } from "@/ui/Notice";

/** Why something can't be changed with this access. */
export function NoAccess({ scope }: { scope: "write" | "admin" }) {
  const { t } = useTranslation("settings");
  return <Notice>{t(scope === "write" ? "needsWrite" : "needsAdmin")}</Notice>;
}
