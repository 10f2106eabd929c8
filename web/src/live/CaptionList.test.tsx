import { screen, within } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { renderInPage } from "@/testing";
import { Captions } from "./CaptionList";
import { NO_CAPTIONS } from "./captions";

beforeEach(() => {
  vi.spyOn(window, "scrollTo").mockImplementation(() => undefined);
});

const line = (id: string, start: number, text: string | null) => ({ id, start, text, language: "en" });

async function region() {
  return await screen.findByRole("region", { name: "Captions" });
}

test("only what is settled is told to screen readers", async () => {
  const interim = { start: 3, stable: "How are", unstable: "you" };
  const captions = { ...NO_CAPTIONS, lines: [line("a", 1, "Good morning.")], interim };
  await renderInPage(<Captions captions={captions} marks={[]} isLive />);
  const log = within(await region()).getByRole("log");
  expect(log.textContent).toContain("Good morning.");
  expect(log.textContent).not.toContain("How are");
  expect((await region()).textContent).toContain("How are you");
});

test("bookmarks and gaps stand where they belong", async () => {
  const captions = {
    ...NO_CAPTIONS,
    lines: [line("a", 1, "One."), line("b", 5, null), line("c", 9, "Two.")],
  };
  const marks = [
    { id: "late", position: 20, label: "the end" },
    { id: "early", position: 4, label: "" },
  ];
  await renderInPage(<Captions captions={captions} marks={marks} isLive={false} />);
  const text = within(await region()).getByRole("log").textContent;
  const order = ["One.", "Bookmark", "Captions are missing here", "Two.", "the end"].map((part) =>
    text.indexOf(part),
  );
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order).not.toContain(-1);
});

test("words of languages without spaces are not torn apart", async () => {
  const interim = { start: 0, stable: "今日", unstable: "は" };
  await renderInPage(<Captions captions={{ ...NO_CAPTIONS, language: "ja", interim }} marks={[]} isLive />);
  expect((await region()).textContent).toContain("今日は");
});
