import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { SearchHitSchema } from "@/gen/recordroute/gateway/v1/search_pb";
import { isByMeaningOnly } from "./byMeaning";

const near = create(SearchHitSchema, { snippet: "Anna pays for it." });
const said = create(SearchHitSchema, { snippet: "the venue", highlights: [{ start: 4, end: 9 }] });

test("one place with a word of the query is enough", () => {
  expect(isByMeaningOnly([near, near])).toBe(true);
  expect(isByMeaningOnly([near, said])).toBe(false);
  expect(isByMeaningOnly([])).toBe(false);
});
