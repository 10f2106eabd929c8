// Before the first paint: a page that turns dark after it was light flashes.
const theme = localStorage.getItem("recordroute.theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
