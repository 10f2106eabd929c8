import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { renderInPage } from "@/testing";
import { Row, Rows } from "./Card";

function List() {
  const [names, setNames] = useState(["one", "two", "three"]);
  const [installed, setInstalled] = useState(false);
  return (
    <>
      <button type="button">elsewhere</button>
      <button type="button" onClick={() => setNames(names.slice(0, 1))}>
        others change it
      </button>
      <Rows label="models">
        {names.map((name) => (
          <Row
            key={name}
            title={name}
            actions={
              installed && name === "one" ? (
                <button key="use" type="button">
                  use one
                </button>
              ) : (
                <button
                  key="go"
                  type="button"
                  onClick={() =>
                    name === "one" ? setInstalled(true) : setNames(names.filter((n) => n !== name))
                  }
                >
                  go {name}
                </button>
              )
            }
          />
        ))}
      </Rows>
    </>
  );
}

const focused = () => document.activeElement?.textContent;
const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

test("a button that is gone leaves the focus to the next of its row", async () => {
  await renderInPage(<List />);
  await press("go one");
  await waitFor(() => expect(focused()).toBe("use one"));
});

test("a row that is gone leaves the focus to the one in its place, the last one to the one before", async () => {
  await renderInPage(<List />);
  await press("go two");
  await waitFor(() => expect(focused()).toBe("go three"));
  await press("go three");
  await waitFor(() => expect(focused()).toBe("go one"));
});

test("a focus that is elsewhere stays there", async () => {
  await renderInPage(<List />);
  screen.getByRole("button", { name: "go two" }).focus();
  await press("elsewhere");
  await press("others change it");
  expect(screen.queryByText("go two")).toBeNull();
  expect(focused()).toBe("others change it");
});
