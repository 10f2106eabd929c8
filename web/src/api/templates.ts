import { useQuery } from "@tanstack/react-query";
import { TemplateService } from "@/gen/recordroute/gateway/v1/template_pb";
import { currentLanguage } from "@/i18n";
import { keys } from "./queries";
import { clientOf } from "./transport";

/** Templates of minutes: for the minutes themselves, and for the settings. */
export const templates = clientOf(TemplateService);

/** The templates that the user can choose from, with titles in the page's language. */
export function useTemplates() {
  const language = currentLanguage();
  return useQuery({
    queryKey: keys.templates(language),
    queryFn: ({ signal }) => templates.listTemplates({ language }, { signal }),
  });
}
