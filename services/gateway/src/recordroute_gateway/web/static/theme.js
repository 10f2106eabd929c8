// Before the first paint: a page that turns dark after it was light flashes.
const theme = localStorage.getItem("recordroute.theme");
if (theme === "light" || theme === "dark") {
  document.documentElement.dataset.theme = theme;
  const colour = theme === "light" ? "#faf9f7" : "#151514";
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.content = colour;
}
