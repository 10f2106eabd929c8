import { everyLook, recordings } from "../support/screens";
import { tourLibrary, tourRecording, tourSettings } from "../support/surfaces";
import { signIn, test } from "../support/test";

test.setTimeout(900_000);

everyLook("every dialog and menu", async ({ page, context, system, t, isPhone, shot }) => {
  await signIn(context, system.token);
  const id = (await recordings(context)).get("sample.flac") ?? "";
  const recording = { id, title: "Design meeting" };
  const tour = { page, t, isPhone, recording, seen: shot };
  await tourLibrary(tour);
  await tourRecording(tour);
  await tourSettings(tour);
});
