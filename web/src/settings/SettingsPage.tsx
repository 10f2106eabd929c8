import { useTranslation } from "react-i18next";

export default function SettingsPage({ section }: { section: string | undefined }) {
  const { t } = useTranslation("settings");
  return (
    <h1>
      {t("title")} {section}
    </h1>
  );
}
