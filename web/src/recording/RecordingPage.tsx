import { useTranslation } from "react-i18next";

export default function RecordingPage({ id }: { id: string }) {
  const { t } = useTranslation("recording");
  return (
    <h1>
      {t("title")} {id}
    </h1>
  );
}
