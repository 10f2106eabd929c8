import { Component, type ReactNode, useEffect, useRef } from "react";
import { useConnected } from "@/api/watch";
import { ErrorState } from "@/ui/State";

type Props = {
  /** What is shown: an error is that of one page, and gone with it. */
  page: string;
  children: ReactNode;
};

/** A page that breaks does not take the others with it. */
export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidUpdate({ page }: Props) {
    if (page !== this.props.page && this.state.error !== null) this.setState({ error: null });
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <Broken error={this.state.error} />;
  }
}

/** Code that could not be had is not asked for again until the whole page is loaded anew. */
function Broken({ error }: { error: unknown }) {
  const isConnected = useConnected();
  const wasAway = useRef(!isConnected);
  useEffect(() => {
    if (isConnected && wasAway.current) window.location.reload();
  }, [isConnected]);
  return <ErrorState error={error} onRetry={() => window.location.reload()} />;
}
