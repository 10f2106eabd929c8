import { TemplateService } from "@/gen/recordroute/gateway/v1/template_pb";
import { clientOf } from "./transport";

/** Templates of minutes: for the minutes themselves, and for the settings. */
export const templates = clientOf(TemplateService);
