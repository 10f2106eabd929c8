import { type QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { Route, Switch, useLocation } from "wouter";
import { isAway } from "@/api/errors";
import { keys } from "@/api/queries";
import { ConnectedContext, useLibraryWatch } from "@/api/watch";
import { NewVersion } from "@/offline/NewVersion";
import { ErrorState, LoadingState } from "@/ui/State";
import { ToastProvider } from "@/ui/Toast";
import { TooltipProvider } from "@/ui/Tooltip";
import { Dock } from "./Dock";
import { ErrorBoundary } from "./ErrorBoundary";
import { NoServer } from "./NoServer";
import { NotFound } from "./NotFound";
import { ActivityPage, FindPage, LibraryPage, LivePage, RecordingPage, SettingsPage } from "./pages";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";
import { getCaller } from "./session";

/** The pages. Their addresses are none of the server's own routes (`/search`, `/history`, ...), which come first. */
function Pages() {
  const connected = useLibraryWatch();
  const [location] = useLocation();
  return (
    <ConnectedContext value={connected}>
      <Shell dock={<Dock />}>
        <ErrorBoundary page={location}>
          <Switch>
            <Route path="/" component={LibraryPage} />
            <Route path="/recordings/:id">{({ id }) => <RecordingPage key={id} id={id} />}</Route>
            <Route path="/find" component={FindPage} />
            <Route path="/live" component={LivePage} />
            <Route path="/activity" component={ActivityPage} />
            <Route path="/settings/:section?">{({ section }) => <SettingsPage section={section} />}</Route>
            <Route component={NotFound} />
          </Switch>
        </ErrorBoundary>
      </Shell>
    </ConnectedContext>
  );
}

const AWAY_PAUSE_MS = 3_000;

function Gate() {
  const caller = useQuery({
    queryKey: keys.caller,
    queryFn: getCaller,
    // The page may have been opened without a server: it goes on by itself as soon as there is one.
    refetchInterval: ({ state }) => state.status === "error" && AWAY_PAUSE_MS,
  });
  if (caller.isPending) return <LoadingState />;
  const retry = () => void caller.refetch();
  if (caller.isError && isAway(caller.error)) return <NoServer onRetry={retry} />;
  if (caller.isError) return <ErrorState error={caller.error} onRetry={retry} />;
  return caller.data === null ? <SignIn /> : <Pages />;
}

export function App({ cache }: { cache: QueryClient }) {
  return (
    <QueryClientProvider client={cache}>
      <TooltipProvider>
        <ToastProvider>
          <Gate />
          <NewVersion />
        </ToastProvider>
      </TooltipProvider>
    </QueryClientProvider>
  );
}
