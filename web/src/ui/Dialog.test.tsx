import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { renderInPage } from "@/testing";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Menu, MenuItem } from "./Menu";

function PageWithDialog({ fromMenu }: { fromMenu: boolean }) {
  const [isOpen, setIsOpen] = useState(false);
  const open = () => setIsOpen(true);
  return (
    <>
      {fromMenu ? (
        <Menu trigger={<Button>Actions</Button>}>
          <MenuItem onSelect={open}>Share</MenuItem>
        </Menu>
      ) : (
        <Button onClick={open}>Actions</Button>
      )}
      {isOpen && (
        <Dialog title="Share" onClose={() => setIsOpen(false)}>
          <p>With whom?</p>
        </Dialog>
      )}
    </>
  );
}

// As in WebKit, the dialog that closes here keeps the focus, and takes it with it.
test.each([false, true])("who closes it is where they were; from a menu: %s", async (fromMenu) => {
  await renderInPage(<PageWithDialog fromMenu={fromMenu} />);
  const user = userEvent.setup();
  const opener = await screen.findByRole("button", { name: "Actions" });
  await user.click(opener);
  if (fromMenu) await user.click(await screen.findByRole("menuitem", { name: "Share" }));
  const dialog = await screen.findByRole("dialog", { name: "Share" });
  expect(dialog.contains(document.activeElement)).toBe(true);
  await user.click(screen.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(document.activeElement).toBe(opener);
});
