import { useTranslation } from "react-i18next";

export default function FindPage() {
  const { t } = useTranslation("search");
  return <h1>{t("title")} </h1>;
}
