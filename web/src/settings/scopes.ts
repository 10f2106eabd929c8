import { useTranslation } from "react-i18next";
import { Scope } from "@/gen/recordroute/gateway/v1/identity_pb";

export const SCOPES = [Scope.READ, Scope.WRITE, Scope.ADMIN] as const;

/** Returns a function that names a scope in the page's language. */
export function useScopeName(): (scope: Scope) => string {
  const { t } = useTranslation("settings");
  return (scope) => {
    switch (scope) {
      case Scope.READ:
        return t("scopeRead");
      case Scope.WRITE:
        return t("scopeWrite");
      case Scope.ADMIN:
        return t("scopeAdmin");
      default:
        return String(scope);
    }
  };
}
