import "./ui/tokens.css";
import "./ui/base.css";
import { StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { signInFromAddress } from "./app/session";
import { startI18n } from "./i18n";
import { LoadingState } from "./ui/State";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
await Promise.all([startI18n(), signInFromAddress()]);
createRoot(root).render(
  <StrictMode>
    <Suspense fallback={<LoadingState />}>
      <App />
    </Suspense>
  </StrictMode>,
);
