import { queryOptions } from "@tanstack/react-query";
import { library } from "@/api/clients";
import { keys } from "@/api/queries";

/** What is known of a recording. */
export function recordingQuery(id: string) {
  return queryOptions({
    queryKey: keys.recording(id),
    queryFn: async ({ signal }) => {
      const answer = await library.getRecording({ recordingId: id }, { signal });
      if (answer.recording === undefined) throw new Error("the server told no recording");
      return answer.recording;
    },
  });
}
