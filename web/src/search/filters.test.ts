import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { type FindState, filterFields, findAddress, hasFilters, NO_FILTERS, parseFind } from "./filters";

const ID = "371a2aa0-9434-4b9e-a904-3551f9b09315";
const full: FindState = {
  query: "예산 & budget=1",
  mode: "ask",
  filters: {
    from: "2026-02-28",
    to: "2026-03-01",
    tags: ["a b", "c"],
    folder: "work/2026",
    speakers: ["Anna"],
    languages: ["ko", "en"],
    recordingIds: [ID],
  },
};

test("what the address says is what it was made from", () => {
  const address = findAddress(full);
  expect(parseFind(address.slice(address.indexOf("?")))).toEqual(full);
});

test("the plain page has a plain address", () => {
  expect(findAddress({ query: "", mode: "search", filters: NO_FILTERS })).toBe("/find");
  expect(parseFind("")).toEqual({ query: "", mode: "search", filters: NO_FILTERS });
  expect(hasFilters(NO_FILTERS)).toBe(false);
  expect(hasFilters(full.filters)).toBe(true);
});

test("what the server would refuse is left out", () => {
  const { mode, filters } = parseFind(
    "?mode=x&from=2026-02-30&to=soon&lang=EN&lang=deu&in=1&tag=&tag=a&tag=a",
  );
  expect(mode).toBe("search");
  expect(filters).toEqual({ ...NO_FILTERS, languages: ["deu"], tags: ["a"] });
});

test("days are those of the user, the last one included", () => {
  const { recordedFrom, recordedBefore } = filterFields(full.filters);
  expect(recordedFrom && timestampDate(recordedFrom)).toEqual(new Date(2026, 1, 28));
  expect(recordedBefore && timestampDate(recordedBefore)).toEqual(new Date(2026, 2, 2));
  expect(filterFields(NO_FILTERS)).not.toHaveProperty("recordedFrom");
});
