import { MapPinOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { EmptyState } from "@/ui/State";

export function NotFound() {
  const { t } = useTranslation("app");
  return (
    <EmptyState icon={<MapPinOff />} title={t("notFound")} action={<Link href="/">{t("toLibrary")}</Link>} />
  );
}
