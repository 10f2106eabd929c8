import "./ui/tokens.css";
import "./ui/base.css";
import { StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { makeQueryClient } from "./api/queries";
import { App } from "./app/App";
import { preload } from "./app/pages";
import { startI18n } from "./i18n";
import { LoadingState } from "./ui/State";

async function start(): Promise<void> {
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no #root");
  const cache = makeQueryClient();
  preload(cache, window.location);
  await startI18n();
  createRoot(root).render(
    <StrictMode>
      <Suspense fallback={<LoadingState />}>
        <App cache={cache} />
      </Suspense>
    </StrictMode>,
  );
}

// Not awaited: dictionaries are modules that need this one, and would wait for it for ever.
void start();
