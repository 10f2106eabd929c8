import { useTranslation } from "react-i18next";
import { serviceName } from "@/api/errors";

/** Returns a function that names a service in the page's language. */
export function useServiceName(): (name: string) => string {
  const { t } = useTranslation("api");
  return (name) => serviceName(name, t);
}
