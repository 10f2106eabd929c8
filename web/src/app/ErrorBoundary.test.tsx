import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import { ConnectedContext } from "@/api/watch";
import { renderInPage } from "@/testing";
import { ErrorBoundary } from "./ErrorBoundary";

function Page({ name }: { name: string }) {
  if (name === "broken") throw new Error("its code could not be loaded");
  return <h1>{name}</h1>;
}

function App() {
  const [page, setPage] = useState("broken");
  const [isConnected, setConnected] = useState(false);
  return (
    <ConnectedContext value={isConnected}>
      <button type="button" onClick={() => setPage("library")}>
        go
      </button>
      <button type="button" onClick={() => setConnected(true)}>
        connect
      </button>
      <ErrorBoundary page={page}>
        <Page name={page} />
      </ErrorBoundary>
    </ConnectedContext>
  );
}

test("the error of a page is gone with the page", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  await renderInPage(<App />);
  expect(screen.getByRole("alert")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "go" }));
  expect(screen.getByRole("heading", { name: "library" })).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a page that broke without its server is loaded anew with it", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const reload = vi.fn();
  vi.stubGlobal("location", { ...window.location, reload });
  await renderInPage(<App />);
  expect(screen.getByRole("alert")).toBeTruthy();
  expect(reload).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "connect" }));
  expect(reload).toHaveBeenCalledOnce();
});
