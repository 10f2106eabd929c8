import { expect, test } from "vitest";
import { batches, readTerms } from "./terms";

test("terms stand one a line, each once", () => {
  expect(readTerms(" Envoy \n\n서버  관리\nEnvoy\r\n").terms).toEqual(["Envoy", "서버 관리"]);
});

test("a term that has too many bytes is told", () => {
  expect(readTerms(`ok\n${"가".repeat(43)}`)).toEqual({ terms: ["ok"], tooLong: ["가".repeat(43)] });
});

test("a request holds 1,000 terms", () => {
  const terms = Array.from({ length: 2001 }, (_, number) => String(number));
  expect(batches(terms).map(({ length }) => length)).toEqual([1000, 1000, 1]);
  expect(batches([])).toEqual([]);
});
