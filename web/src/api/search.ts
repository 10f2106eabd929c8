import { SearchService } from "@/gen/recordroute/gateway/v1/search_pb";
import { clientOf } from "./transport";

/** Search, questions and similar recordings: for the find page, and beside a recording. */
export const search = clientOf(SearchService);
