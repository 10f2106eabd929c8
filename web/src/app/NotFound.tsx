import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { Page } from "@/ui/Page";

export function NotFound() {
  const { t } = useTranslation("app");
  return (
    <Page title={t("notFound")}>
      <p>
        <Link href="/">{t("toLibrary")}</Link>
      </p>
    </Page>
  );
}
