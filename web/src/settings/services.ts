import { useTranslation } from "react-i18next";

/** Returns a function that names a service in the page's language. */
export function useServiceName(): (name: string) => string {
  const { t } = useTranslation("settings");
  return (name) => {
    switch (name) {
      case "stt":
        return t("serviceStt");
      case "llm":
        return t("serviceLlm");
      case "vector":
        return t("serviceVector");
      default:
        return name;
    }
  };
}
