import { useQuery } from "@tanstack/react-query";
import { library } from "./clients";
import { keys } from "./queries";

/** The tags, folders and languages that the user's recordings have. */
export function useFacets() {
  return useQuery({
    queryKey: keys.facets,
    queryFn: ({ signal }) => library.listFacets({}, { signal }),
  });
}
